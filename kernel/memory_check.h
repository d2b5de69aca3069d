/*
 * memory_check.h - `run=memory`: the kernel's memory, checked from inside.
 */
#ifndef KERNEL_MEMORY_CHECK_H
#define KERNEL_MEMORY_CHECK_H

/* Check frames, address spaces and the heap, each beyond what a running kernel asks of them; one
 * line each on the console.  Ends in a panic, or leaves the emulator with status 0. */
void memory_check_run(const char *argument);

#endif
