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

/* List what all instances of a program share, of each that is there.  Once. */
void programs_init(void);

/* What every instance of a program has at user address `address`, or will have: `*len` bytes of
 * code or constants.  NULL: nothing.  Anywhere. */
const uint8_t *program_shared(uint64_t address, size_t *len);

/* run=user:NAME[:ARGUMENT]: start it, wait for its end, and leave the emulator with its status.
 * Statuses above 127 leave as 127. */
void program_run(const char *spec);

#endif
