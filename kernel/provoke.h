/*
 * provoke.h - fail on purpose, by name: `run=provoke:NAME` on the command line.
 */
#ifndef KERNEL_PROVOKE_H
#define KERNEL_PROVOKE_H

/* Fail in the way called `name`; "list" prints the names.  What does not end in a crash leaves the
 * emulator: with status 0 if that was expected, else 1; and returns where there is none. */
void provoke_run(const char *name);

/* Fail if run=provoke:early was asked for: before the log, the clock and the final page tables. */
void provoke_early(void);

#endif
