/*
 * physical.h - physical memory as a parser of firmware tables sees it: a window with an end.
 *
 * Addresses in such tables are only claims; nothing is read through them but by these two
 * functions.
 */
#ifndef ARCH_X86_64_PHYSICAL_H
#define ARCH_X86_64_PHYSICAL_H

#include <stddef.h>
#include <stdint.h>

struct physical_memory {
    const uint8_t *bytes; /* physical address 0 */
    uint64_t size;
};

/* The `len` bytes at physical `address`, or NULL if they are not all inside.  Nothing is at 0: such
 * tables say so for "there is none". */
static inline const void *physical_at(const struct physical_memory *memory, uint64_t address,
                                      uint64_t len)
{
    if (address == 0 || address > memory->size || len > memory->size - address)
        return NULL;
    return memory->bytes + address;
}

/* Copy the string at `address` into text[size], cut to fit, always ended; "" if it is outside. */
static inline void physical_text(const struct physical_memory *memory, uint64_t address, char *text,
                                 size_t size)
{
    size_t len = 0;
    const char *c;

    while (len < size - 1 && (c = physical_at(memory, address + len, 1)) && *c)
        text[len++] = *c;
    text[len] = '\0';
}

#endif
