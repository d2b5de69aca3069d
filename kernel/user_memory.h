/*
 * user_memory.h - the memory of programs, as a debugger wants it: also of those that do not run
 * yet.
 *
 * Takes no lock, allocates nothing, trusts no page table: anywhere, where threads stand still.
 */
#ifndef KERNEL_USER_MEMORY_H
#define KERNEL_USER_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Copy from or to the addresses of `space`; the bytes done before the first that cannot be reached.
 *
 * Code and constants that no program has touched yet, or that none runs now, are those in the
 * image: every program is linked at a place of its own.  What is written to code, all instances of
 * the program have.  Data can be written when the program has done so itself: before, its pages are
 * everybody's. */
size_t user_memory_read(uint64_t space, uint64_t address, void *to, size_t len);
size_t user_memory_write(uint64_t space, uint64_t address, const void *from, size_t len);

#endif
