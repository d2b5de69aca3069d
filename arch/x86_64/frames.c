/*
 * frames.c - which memory is free: boot takes page frames from its top downwards, and the kernel
 * gets the rest.
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

/* Physical [start, end) in use. */
struct span {
    uint64_t start, end;
};

static struct {
    uint64_t lowest; /* of the frames taken by boot: usable memory above it is in use */
    uint64_t (*take)(void);
    void (*give)(uint64_t frame);
} frames = {.lowest = BOOT_MAPPED};

extern const uint8_t __image_end[];

static uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(ARCH_PAGE_BYTES - 1);
}

static uint64_t page_up(uint64_t address)
{
    return page_down(address + ARCH_PAGE_BYTES - 1);
}

static uint64_t image_end(void)
{
    uint64_t end = page_up(image_physical(__image_end));

    return end > LOW_MEMORY_END ? end : LOW_MEMORY_END;
}

/* The n-th span of usable memory that is in use, in no order; false past the last. */
static bool used_span(size_t n, struct span *span)
{
    enum { FIXED_SPANS = 3 };
    const struct arch_boot_info *info = arch_boot_info();
    const struct span fixed[FIXED_SPANS] = {
        {0, image_end()},
        {frames.lowest, BOOT_MAPPED},
        {SURVIVING_START, SURVIVING_END},
    };

    if (n >= FIXED_SPANS + info->module_count)
        return false;
    if (n < FIXED_SPANS)
        *span = fixed[n];
    else
        *span = (struct span){page_down(info->modules[n - FIXED_SPANS].start),
                              page_up(info->modules[n - FIXED_SPANS].end)};
    return true;
}

/* The end of a span that holds `address`; 0 if none does. */
static uint64_t used_until(uint64_t address)
{
    struct span span;

    for (size_t i = 0; used_span(i, &span); i++) {
        if (span.start <= address && address < span.end)
            return span.end;
    }
    return 0;
}

/* Where the first span above `address` begins, or `limit`, whichever comes first. */
static uint64_t free_until(uint64_t address, uint64_t limit)
{
    struct span span;

    for (size_t i = 0; used_span(i, &span); i++) {
        if (address < span.start && span.start < limit && span.start < span.end)
            limit = span.start;
    }
    return limit;
}

/* The first stretch of free memory that begins at `from` or above.  False if there is none. */
static bool next_free(uint64_t from, struct span *stretch)
{
    const struct arch_boot_info *info = arch_boot_info();

    for (size_t i = 0; i < info->range_count; i++) {
        const struct arch_memory_range *range = &info->ranges[i];
        uint64_t start = page_up(range->start > from ? range->start : from);
        uint64_t end = page_down(range->end), used;

        if (range->kind != ARCH_MEMORY_USABLE)
            continue;
        while ((used = used_until(start)) != 0)
            start = used;
        if (start >= end)
            continue;
        *stretch = (struct span){start, free_until(start, end)};
        return true;
    }
    return false;
}

bool arch_free_memory(size_t n, uint64_t *start, uint64_t *end)
{
    struct span stretch = {0, 0};

    for (size_t i = 0; i <= n; i++) {
        if (!next_free(stretch.end, &stretch))
            return false;
    }
    *start = stretch.start;
    *end = stretch.end;
    return true;
}

void arch_use_frames(uint64_t (*take)(void), void (*give)(uint64_t frame))
{
    frames.take = take;
    frames.give = give;
}

uint64_t arch_physical_of(const void *object)
{
    return image_physical(object);
}

void *arch_physical(uint64_t physical)
{
    return direct(physical);
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
    uint64_t frame;

    if (frames.take != NULL)
        return frames.take();
    frame = highest_below(frames.lowest);
    while (frame != 0 && used_until(frame) != 0)
        frame = highest_below(frame);
    if (frame == 0)
        return 0;
    frames.lowest = frame;
    zero(frame);
    return frame;
}

void frame_give(uint64_t frame)
{
    if (frames.give == NULL)
        arch_panic("a page frame is given back before anybody takes them");
    frames.give(frame);
}
