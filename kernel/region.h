/*
 * region.h - the regions of an address space: addresses with one meaning, sorted and disjoint.
 *
 * Arithmetic only: no page tables, no locks.  Whatever the numbers are, no region is outside of the
 * range for programs.
 */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum region_limits {
    REGIONS = 32, /* of one space */
};

/* The longest: its pages are looked at one by one when it goes. */
#define REGION_BYTES ((uint64_t)64 << 20)

struct region {
    uint64_t start, end;  /* whole pages, [start, end) */
    uint64_t lowest;      /* the first address that may be touched: a stack's grows down */
    unsigned permissions; /* enum crash_map_permissions */
    uint64_t file;        /* physical address of what the page at `start` begins with */
    uint64_t file_bytes;  /* how much of it there is; zeros follow */
};

struct regions {
    struct region list[REGIONS];
    size_t count;
};

/* Is [start, end) not empty, and only for programs? */
bool region_is_for_programs(uint64_t start, uint64_t end);

/* The one that holds `address`, or NULL. */
struct region *regions_find(struct regions *regions, uint64_t address);

/* The first one that ends behind `address`, or NULL. */
struct region *regions_from(struct regions *regions, uint64_t address);

/* Add one.  False if it is too long, not in whole pages for programs, overlaps another one, or
 * there are too many. */
bool regions_add(struct regions *regions, const struct region *region);

/* The lowest address, of those set aside for it, with room for `len` bytes (whole pages) and a page
 * around them; 0 if there is none. */
uint64_t regions_find_room(const struct regions *regions, uint64_t len);

/* Take [start, end), which lies in the region, out of it.  What is left on both sides stays: then
 * that is one more, for which there must be a place. */
void regions_cut(struct regions *regions, struct region *region, uint64_t start, uint64_t end);

#endif
