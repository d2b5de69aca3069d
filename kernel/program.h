/*
 * program.h - the user programs there are: those linked into the kernel, and the boot loader's
 * modules.
 */
#ifndef KERNEL_PROGRAM_H
#define KERNEL_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An ELF file in memory, at the beginning of a page. */
struct program_file {
    const void *bytes;
    size_t size;
    uint64_t physical;
};

/* Find the program called `name`: a module whose command line begins with it comes first. */
bool program_find(const char *name, struct program_file *file);

/* The n-th of those linked into the kernel; false past the last.  Anywhere. */
bool program_at(size_t n, struct program_file *file);

/* run=user:NAME[:ARGUMENT]: start it, wait for its end, and leave the emulator with its status.
 * Statuses above 127 leave as 127. */
void program_run(const char *spec);

#endif
