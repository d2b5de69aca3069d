/*
 * stress.h - everything at once, on all CPUs, checked all along.
 */
#ifndef KERNEL_STRESS_H
#define KERNEL_STRESS_H

/* run=stress:SECONDS: panics, with words, at the first thing that is not as it has to be; prints
 * what was done, and leaves the emulator with status 0. */
void stress_run(const char *argument);

#endif
