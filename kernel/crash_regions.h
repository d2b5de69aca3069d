/*
 * crash_regions.h - memory that a crash record is to hold, or must not.
 */
#ifndef KERNEL_CRASH_REGIONS_H
#define KERNEL_CRASH_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crashdump/record.h"

enum crash_region_class {
    CRASH_REGION_SMALL,  /* in every record: a few hundred bytes at most */
    CRASH_REGION_LARGE,  /* in records on disk */
    CRASH_REGION_SECRET, /* listed in every record, stored in none, however it is reached */
};

enum crash_region_limits {
    CRASH_REGIONS = 32,
    CRASH_SECRETS = 32, /* ranges of addresses at which secret memory is seen */
};

struct crash_region {
    const char *name; /* for people; a string that stays */
    uint64_t start, end;
    enum crash_region_class class;
};

/* From now on, for ever.  False if there is no room for one more: then a secret one must not be
 * used.  Not while another CPU does the same. */
bool crash_register_region(const char *name, const void *start, size_t bytes,
                           enum crash_region_class class);

/* The n-th region, or NULL past the last.  Anywhere. */
const struct crash_region *crash_region_at(size_t n);

/* How many of the `len` bytes from `address` on are secret, or are not: *secret says which. */
size_t crash_classify(void *ctx, uint64_t address, size_t len, bool *secret);

#endif
