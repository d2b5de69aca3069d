/*
 * crash_regions.c - the list of regions, and every address at which secret ones are seen.
 */
#include "crash_regions.h"

#include "arch/arch.h"

struct range {
    uint64_t start, end;
};

static struct {
    struct crash_region list[CRASH_REGIONS];
    size_t count;
    struct range secrets[CRASH_SECRETS];
    size_t secret_count;
} regions;

static bool add_secret(uint64_t start, uint64_t end)
{
    struct range *last =
        regions.secret_count > 0 ? &regions.secrets[regions.secret_count - 1] : NULL;

    if (last != NULL && last->end == start) {
        last->end = end;
        return true;
    }
    if (regions.secret_count == CRASH_SECRETS)
        return false;
    regions.secrets[regions.secret_count++] = (struct range){start, end};
    return true;
}

/* The same memory is also seen where the kernel sees all physical memory. */
static bool add_aliases(uint64_t start, uint64_t end)
{
    while (start < end) {
        uint64_t page_end = (start | (ARCH_PAGE_BYTES - 1)) + 1;
        uint64_t stop = page_end < end ? page_end : end;
        struct crash_walk walk;

        arch_walk(start, &walk);
        if (walk.mapped) {
            uint64_t alias = arch_direct_address(walk.physical);

            if (alias != start && !add_secret(alias, alias + (stop - start)))
                return false;
        }
        start = stop;
    }
    return true;
}

bool crash_register_region(const char *name, const void *start, size_t bytes,
                           enum crash_region_class class)
{
    uint64_t first = (uint64_t)(uintptr_t)start, end = first + bytes;

    if (regions.count == CRASH_REGIONS)
        return false;
    if (class == CRASH_REGION_SECRET && (!add_secret(first, end) || !add_aliases(first, end)))
        return false;
    regions.list[regions.count] = (struct crash_region){name, first, end, class};
    regions.count++;
    return true;
}

const struct crash_region *crash_region_at(size_t n)
{
    return n < regions.count ? &regions.list[n] : NULL;
}

size_t crash_classify(void *ctx, uint64_t address, size_t len, bool *secret)
{
    uint64_t next = address + len;

    (void)ctx;
    *secret = false;
    for (size_t i = 0; i < regions.secret_count; i++) {
        const struct range *range = &regions.secrets[i];

        if (range->start <= address && address < range->end) {
            *secret = true;
            return range->end - address < len ? (size_t)(range->end - address) : len;
        }
        if (address < range->start && range->start < next)
            next = range->start;
    }
    return (size_t)(next - address);
}
