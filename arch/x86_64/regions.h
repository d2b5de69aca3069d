/*
 * regions.h - the list of what is where in the kernel's address space, with names.
 *
 * One list serves the page tables, the debugger's and the crash record's memory map, and the search
 * for the stack that an address belongs to.  Append-only, by one CPU at a
 * time; read without a lock, anywhere.
 */
#ifndef ARCH_X86_64_REGIONS_H
#define ARCH_X86_64_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

struct region {
    uint64_t start, end; /* [start, end), page-aligned; where two overlap, the first one counts */
    enum crash_map_kind kind;
    unsigned permissions; /* enum crash_map_permissions; 0: never mapped */
    const char *name;
};

enum region_limits {
    REGIONS = 768,
};

/* Add a range; a full list drops it, which costs its name and nothing else. */
void region_add(uint64_t start, uint64_t end, enum crash_map_kind kind, unsigned permissions,
                const char *name);

/* The n-th range, or NULL past the last. */
const struct region *region_at(size_t n);

/* List the image's sections: behind what lies inside them. */
void regions_add_image(void);

#endif
