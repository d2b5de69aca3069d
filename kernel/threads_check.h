/*
 * threads_check.h - threads, checked one property at a time.
 */
#ifndef KERNEL_THREADS_CHECK_H
#define KERNEL_THREADS_CHECK_H

/* run=threads: check that they are as thread.h and schedule.h say; leave the emulator with status
 * 0.  run=threads:NAME: misuse them in that way, which panics. */
void threads_check_run(const char *argument);

#endif
