/*
 * frames.c - takes page frames from the top of usable memory downwards.
 *
 * Low memory stays free: it survives a reset best, and the firmware's own are at its bottom.
 */
#include "frames.h"

#include "arch/arch.h"
#include "memory_layout.h"
#include "surviving.h"

enum frame_limits {
    LOW_MEMORY_END = 1 << 20, /* the firmware's and the boot loader's */
};

/* The lowest frame taken so far: what is above, in usable ranges, is in use. */
static uint64_t next_below = BOOT_MAPPED;

extern const uint8_t __image_end[];

static uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(ARCH_PAGE_BYTES - 1);
}

static bool is_module(uint64_t frame)
{
    const struct arch_boot_info *info = arch_boot_info();

    for (size_t i = 0; i < info->module_count; i++) {
        if (frame + ARCH_PAGE_BYTES > info->modules[i].start && frame < info->modules[i].end)
            return true;
    }
    return false;
}

/* The highest frame below `limit` in a usable range, or 0. */
static uint64_t highest_below(uint64_t limit)
{
    const struct arch_boot_info *info = arch_boot_info();
    uint64_t best = 0;

    for (size_t i = 0; i < info->range_count; i++) {
        const struct arch_memory_range *range = &info->ranges[i];
        uint64_t end = page_down(range->end < limit ? range->end : limit);

        if (range->kind == ARCH_MEMORY_USABLE && end >= ARCH_PAGE_BYTES &&
            end - ARCH_PAGE_BYTES >= range->start && end - ARCH_PAGE_BYTES > best)
            best = end - ARCH_PAGE_BYTES;
    }
    return best;
}

static void zero(uint64_t frame)
{
    uint64_t *words = direct(frame);

    for (size_t i = 0; i < ARCH_PAGE_BYTES / sizeof(*words); i++)
        words[i] = 0;
}

uint64_t frame_take(void)
{
    uint64_t floor = image_physical(__image_end);
    uint64_t frame = highest_below(next_below);

    while (frame >= floor && (is_module(frame) || is_surviving_frame(frame)))
        frame = highest_below(frame);
    if (frame < floor || frame < LOW_MEMORY_END)
        return 0;
    next_below = frame;
    zero(frame);
    return frame;
}
