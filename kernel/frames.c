/*
 * frames.c - a bit for each page frame: taken or not.  No runs of frames, no sizes but one.
 *
 * The bits of a range of memory are in its first frames.  The search goes on where the last one
 * ended, so that what was just given back stays as it is for a while.
 */
#include "frames.h"

#include <stdbool.h>

#include "arch/arch.h"
#include "lock.h"
#include "panic.h"
#include "string.h"

enum {
    POOLS = 64, /* ranges of memory; what is beyond stays unused */
    WORD_BITS = 64,
};

/* One range of memory. */
struct pool {
    uint64_t start; /* physical, of its first frame */
    size_t frames, free;
    uint64_t *taken; /* a bit for each frame; those past the last are set */
    size_t word;     /* where the next search begins */
};

static struct {
    struct spin_lock lock;
    struct pool pools[POOLS];
    size_t pool_count;
    struct frame_counts counts;
} frames = {.lock = SPIN_LOCK("frames")};

static size_t divide_up(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

static size_t words_of(const struct pool *pool)
{
    return divide_up(pool->frames, WORD_BITS);
}

static void add_pool(uint64_t start, uint64_t end)
{
    size_t pages = (size_t)((end - start) / ARCH_PAGE_BYTES);
    size_t map_pages = divide_up(pages, (size_t)ARCH_PAGE_BYTES * 8);
    struct pool *pool = &frames.pools[frames.pool_count];

    if (pages <= map_pages)
        return;
    *pool = (struct pool){.start = start + map_pages * ARCH_PAGE_BYTES,
                          .frames = pages - map_pages,
                          .free = pages - map_pages,
                          .taken = arch_physical(start)};
    memset(pool->taken, 0, words_of(pool) * sizeof *pool->taken);
    if (pool->frames % WORD_BITS != 0)
        pool->taken[words_of(pool) - 1] = UINT64_MAX << pool->frames % WORD_BITS;
    frames.counts.free += pool->frames;
    frames.pool_count++;
}

void frames_init(void)
{
    uint64_t start, end;

    for (size_t i = 0; frames.pool_count < POOLS && arch_free_memory(i, &start, &end); i++)
        add_pool(start, end);
    frames.counts.lowest_free = frames.counts.free;
    arch_use_frames(frames_take, frames_give);
}

/* The pool has a free frame. */
static uint64_t take_from(struct pool *pool)
{
    unsigned bit;

    while (pool->taken[pool->word] == UINT64_MAX)
        pool->word = (pool->word + 1) % words_of(pool);
    bit = (unsigned)__builtin_ctzll(~pool->taken[pool->word]);
    pool->taken[pool->word] |= UINT64_C(1) << bit;
    pool->free--;
    return pool->start + (pool->word * WORD_BITS + bit) * ARCH_PAGE_BYTES;
}

static struct pool *pool_with_free_frame(void)
{
    for (size_t i = 0; i < frames.pool_count; i++) {
        if (frames.pools[i].free > 0)
            return &frames.pools[i];
    }
    return NULL;
}

static void count_taken(void)
{
    frames.counts.free--;
    frames.counts.used++;
    if (frames.counts.free < frames.counts.lowest_free)
        frames.counts.lowest_free = frames.counts.free;
}

uint64_t frames_take(void)
{
    struct pool *pool;
    uint64_t frame = 0;

    spin_lock(&frames.lock);
    pool = pool_with_free_frame();
    if (pool != NULL) {
        frame = take_from(pool);
        count_taken();
    }
    spin_unlock(&frames.lock);
    if (frame != 0)
        memset(arch_physical(frame), 0, ARCH_PAGE_BYTES);
    return frame;
}

static struct pool *pool_of(uint64_t frame)
{
    for (size_t i = 0; i < frames.pool_count; i++) {
        struct pool *pool = &frames.pools[i];

        if (frame >= pool->start && (frame - pool->start) / ARCH_PAGE_BYTES < pool->frames)
            return pool;
    }
    return NULL;
}

/* False if it is not taken. */
static bool give_to(struct pool *pool, uint64_t frame)
{
    size_t n = (size_t)((frame - pool->start) / ARCH_PAGE_BYTES);
    uint64_t bit = UINT64_C(1) << n % WORD_BITS;

    if ((pool->taken[n / WORD_BITS] & bit) == 0)
        return false;
    pool->taken[n / WORD_BITS] &= ~bit;
    pool->free++;
    frames.counts.free++;
    frames.counts.used--;
    return true;
}

void frames_give(uint64_t frame)
{
    struct pool *pool = pool_of(frame);
    bool was_taken;

    if (pool == NULL || frame % ARCH_PAGE_BYTES != 0)
        panic("frames: 0x%lx is given back, which is no page frame of the kernel's", frame);
    spin_lock(&frames.lock);
    was_taken = give_to(pool, frame);
    spin_unlock(&frames.lock);
    if (!was_taken)
        panic("frames: page frame 0x%lx is given back, but it is free: given twice, or never taken",
              frame);
}

struct frame_counts frames_counts(void)
{
    struct frame_counts counts;

    spin_lock(&frames.lock);
    counts = frames.counts;
    spin_unlock(&frames.lock);
    return counts;
}
