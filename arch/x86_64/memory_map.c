/*
 * memory_map.c - makes a usable memory map of what firmware says.
 *
 * Firmware's maps come in any order, overlap, and split what belongs together.
 */
#include "boot_info.h"

/* Where ranges overlap, the kind of the highest rank holds; 0: not in the map. */
static const uint8_t rank[] = {
    [ARCH_MEMORY_USABLE] = 1, [ARCH_MEMORY_ACPI] = 2, [ARCH_MEMORY_RESERVED] = 3,
    [ARCH_MEMORY_NVS] = 4,    [ARCH_MEMORY_BAD] = 5,
};

/* What the raw map says about the stretch that begins at `start`: its kind, 0 if it is in no
 * range, and its end, where some range begins or ends. */
struct stretch {
    uint64_t end;
    enum arch_memory_kind kind;
};

static struct stretch find_stretch(const struct arch_memory_range *raw, size_t count,
                                   uint64_t start)
{
    struct stretch stretch = {.end = UINT64_MAX, .kind = 0};

    for (size_t i = 0; i < count; i++) {
        const struct arch_memory_range *range = &raw[i];

        if (range->start > start && range->start < stretch.end)
            stretch.end = range->start;
        if (range->end > start && range->end < stretch.end)
            stretch.end = range->end;
        if (range->start <= start && start < range->end && rank[range->kind] > rank[stretch.kind])
            stretch.kind = range->kind;
    }
    return stretch;
}

size_t memory_map_normalise(const struct arch_memory_range *raw, size_t count,
                            struct arch_memory_range *ranges, size_t max)
{
    size_t found = 0;
    struct stretch stretch;

    for (uint64_t start = 0; start != UINT64_MAX; start = stretch.end) {
        stretch = find_stretch(raw, count, start);
        if (!stretch.kind)
            continue;
        if (found && ranges[found - 1].end == start && ranges[found - 1].kind == stretch.kind) {
            ranges[found - 1].end = stretch.end;
            continue;
        }
        if (found == max)
            break;
        ranges[found++] = (struct arch_memory_range){start, stretch.end, stretch.kind};
    }
    return found;
}
