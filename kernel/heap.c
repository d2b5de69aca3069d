/*
 * heap.c - the kernel's heap: who has which block, and what is kept back of those freed.
 *
 * Filling and checking bytes is done without the lock, on blocks that are nobody else's then.
 */
#include "heap.h"

#include "heap_block.h"
#include "lock.h"
#include "log.h"
#include "string.h"
#include "thread.h"

enum {
    KEPT_BACK_BYTES = 2 << 20, /* of freed blocks, at most */
};

static struct {
    struct spin_lock lock;
    struct heap_block *oldest, *newest; /* of those kept back */
    struct heap_counts counts;
} heap = {.lock = SPIN_LOCK("heap")};

static uint32_t thread_id(void)
{
    const struct thread *thread = thread_current();

    return thread == NULL ? 0 : thread->id;
}

void heap_init(void)
{
    blocks_init();
}

/* ---- Freed blocks: the oldest become free memory ---- */

static void keep_back(struct heap_block *block)
{
    block->state = BLOCK_FREED;
    block->next = NULL;
    if (heap.oldest == NULL)
        heap.oldest = block;
    else
        heap.newest->next = block;
    heap.newest = block;
    heap.counts.kept_back += block->bytes;
}

/* The oldest, if more than `limit` bytes are kept back; else NULL. */
static struct heap_block *take_oldest(size_t limit)
{
    struct heap_block *block = NULL;

    spin_lock(&heap.lock);
    if (heap.counts.kept_back > limit) {
        block = heap.oldest;
        check_header(block);
        heap.oldest = block->next;
        heap.counts.kept_back -= block->bytes;
        block->state = BLOCK_CHANGING;
    }
    spin_unlock(&heap.lock);
    return block;
}

/* Make free memory of the oldest, until at most `limit` bytes are kept back. */
static void release(size_t limit)
{
    struct heap_block *block;

    while ((block = take_oldest(limit)) != NULL) {
        check_red_zones(block);
        check_poison(block);
        spin_lock(&heap.lock);
        memset(block_data(block) - HEAP_RED_ZONE, HEAP_FILL_FREED, HEAP_RED_ZONE);
        memset(block_data(block) + block->size, HEAP_FILL_FREED,
               (size_t)(block_end(block) - block_data(block)) - block->size);
        blocks_give(block);
        spin_unlock(&heap.lock);
    }
}

/* ---- Allocating and freeing ---- */

static size_t bytes_for(size_t size)
{
    size_t aligned = (size + HEAP_ALIGNMENT - 1) & ~(size_t)(HEAP_ALIGNMENT - 1);

    return HEAP_IN_FRONT + aligned + HEAP_RED_ZONE;
}

static struct heap_block *allocate(size_t size, uint64_t site)
{
    struct heap_block *block;

    spin_lock(&heap.lock);
    block = blocks_take(bytes_for(size));
    if (block != NULL) {
        block->state = BLOCK_ALLOCATED;
        block->size = (uint32_t)size;
        block->site = site;
        block->thread = thread_id();
        block->freed_site = 0;
        block->freed_by = 0;
        memset(block_data(block) - HEAP_RED_ZONE, HEAP_FILL_RED_ZONE, HEAP_RED_ZONE);
        memset(block_data(block) + size, HEAP_FILL_RED_ZONE,
               (size_t)(block_end(block) - block_data(block)) - size);
        heap.counts.blocks++;
        heap.counts.bytes += size;
    }
    spin_unlock(&heap.lock);
    return block;
}

void *heap_alloc(size_t size)
{
    uint64_t site = (uint64_t)(uintptr_t)__builtin_return_address(0);
    struct heap_block *block;

    if (size == 0 || size > HEAP_MAX_BYTES)
        return NULL;
    block = allocate(size, site);
    if (block == NULL) {
        release(0); /* better no evidence than no memory */
        block = allocate(size, site);
    }
    if (block == NULL) {
        log_print(LOG_WARNING, "heap: no memory for %zu bytes, wanted at pc 0x%lx", size, site);
        return NULL;
    }
    check_was_free(block_data(block), size);
    memset(block_data(block), HEAP_FILL_NEW, size);
    return block_data(block);
}

void heap_free(void *pointer)
{
    uint64_t site = (uint64_t)(uintptr_t)__builtin_return_address(0);
    struct heap_block *block;

    if (pointer == NULL)
        return;
    spin_lock(&heap.lock);
    block = check_pointer(pointer);
    block->state = BLOCK_CHANGING;
    block->freed_site = site;
    block->freed_by = thread_id();
    heap.counts.blocks--;
    heap.counts.bytes -= block->size;
    spin_unlock(&heap.lock);

    check_red_zones(block);
    memset(pointer, HEAP_FILL_FREED, block->size);
    spin_lock(&heap.lock);
    keep_back(block);
    spin_unlock(&heap.lock);
    release(KEPT_BACK_BYTES);
}

/* ---- Looking at all of it ---- */

static void check_block(const struct heap_block *block)
{
    check_header(block);
    if (block->state == BLOCK_ALLOCATED || block->state == BLOCK_FREED)
        check_red_zones(block);
    if (block->state == BLOCK_FREED || block->state == BLOCK_FREE)
        check_poison(block);
}

void heap_check(void)
{
    spin_lock(&heap.lock);
    for (const struct heap_block *block = blocks_next(NULL); block != NULL;
         block = blocks_next(block))
        check_block(block);
    spin_unlock(&heap.lock);
}

struct heap_counts heap_counts(void)
{
    struct heap_counts counts;

    spin_lock(&heap.lock);
    counts = heap.counts;
    counts.backed = blocks_backed();
    spin_unlock(&heap.lock);
    return counts;
}
