/*
 * region.c - a short sorted list, searched from its beginning.
 */
#include "region.h"

#include "arch/arch.h"
#include "string.h"

/* Where regions_find_room() looks: above the programs, far below their stacks. */
#define ROOM_START ((uint64_t)1 << 40)
#define ROOM_END   ((uint64_t)1 << 46)

bool region_is_for_programs(uint64_t start, uint64_t end)
{
    return ARCH_USER_START <= start && start < end && end <= ARCH_USER_END;
}

/* How many end at or below `address`. */
static size_t place_of(const struct regions *regions, uint64_t address)
{
    size_t place = 0;

    while (place < regions->count && regions->list[place].end <= address)
        place++;
    return place;
}

struct region *regions_from(struct regions *regions, uint64_t address)
{
    size_t place = place_of(regions, address);

    return place < regions->count ? &regions->list[place] : NULL;
}

struct region *regions_find(struct regions *regions, uint64_t address)
{
    struct region *region = regions_from(regions, address);

    return region != NULL && region->start <= address ? region : NULL;
}

static void insert(struct regions *regions, size_t place, const struct region *region)
{
    struct region *at = &regions->list[place];

    memmove(at + 1, at, (regions->count - place) * sizeof *at);
    *at = *region;
    regions->count++;
}

bool regions_add(struct regions *regions, const struct region *region)
{
    size_t place = place_of(regions, region->start);

    if (!region_is_for_programs(region->start, region->end) ||
        region->start % ARCH_PAGE_BYTES != 0 || region->end % ARCH_PAGE_BYTES != 0 ||
        region->end - region->start > REGION_BYTES || regions->count == REGIONS)
        return false;
    if (place < regions->count && regions->list[place].start < region->end)
        return false;
    insert(regions, place, region);
    return true;
}

uint64_t regions_find_room(const struct regions *regions, uint64_t len)
{
    uint64_t address = ROOM_START;
    size_t place = place_of(regions, address);

    while (place < regions->count && regions->list[place].start < address + len + ARCH_PAGE_BYTES)
        address = regions->list[place++].end + ARCH_PAGE_BYTES;
    return address + len <= ROOM_END ? address : 0;
}

/* What is left of a region from `address` on. */
static struct region tail_of(const struct region *region, uint64_t address)
{
    uint64_t offset = address - region->start;
    struct region tail = *region;

    tail.start = address;
    tail.lowest = region->lowest > address ? region->lowest : address;
    tail.file += offset;
    tail.file_bytes = region->file_bytes > offset ? region->file_bytes - offset : 0;
    return tail;
}

void regions_cut(struct regions *regions, struct region *region, uint64_t start, uint64_t end)
{
    size_t place = (size_t)(region - regions->list);
    struct region tail = tail_of(region, end);

    if (end < region->end)
        insert(regions, place + 1, &tail);
    if (start > region->start) {
        region->end = start;
        return;
    }
    regions->count--;
    memmove(region, region + 1, (regions->count - place) * sizeof *region);
}
