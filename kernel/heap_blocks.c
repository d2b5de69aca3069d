/*
 * heap_blocks.c - cuts the heap's memory into blocks and joins those that are free.
 *
 * Free blocks are listed by the power of two that they reach; the first that is large enough is
 * taken and cut to fit.  Never gives memory back.  Knows nothing of callers and their mistakes.
 */
#include "arch/arch.h"
#include "heap_block.h"
#include "panic.h"
#include "string.h"

enum {
    LISTS = 32,
    GROW_BYTES = 64 << 10, /* at least */
};

static struct {
    uint8_t *start, *end; /* [start, end) is backed */
    struct heap_block *last;
    struct heap_block *free[LISTS]; /* [n]: of 2^n bytes and more */
} blocks;

void blocks_init(void)
{
    blocks.start = arch_reserve_pages(HEAP_RANGE_BYTES, CRASH_MAP_HEAP, "kernel heap");
    if (blocks.start == NULL)
        panic("heap: no addresses for it");
    blocks.end = blocks.start;
    heap_index_init((uint64_t)(uintptr_t)blocks.start);
}

struct heap_block *blocks_next(const struct heap_block *block)
{
    uint8_t *next = block == NULL ? blocks.start : block_end(block);

    return next == blocks.end ? NULL : (struct heap_block *)(void *)next;
}

size_t blocks_backed(void)
{
    return (size_t)(blocks.end - blocks.start);
}

static unsigned list_of(size_t bytes)
{
    return 31u - (unsigned)__builtin_clz((unsigned)bytes);
}

static void list_insert(struct heap_block *block)
{
    struct heap_block **first = &blocks.free[list_of(block->bytes)];

    block->previous = NULL;
    block->next = *first;
    if (*first != NULL)
        (*first)->previous = block;
    *first = block;
}

static void list_remove(struct heap_block *block)
{
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        blocks.free[list_of(block->bytes)] = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
}

/* Lists are only followed through headers that are whole. */
static struct heap_block *find_fit(size_t bytes)
{
    for (unsigned list = list_of(bytes); list < LISTS; list++) {
        struct heap_block *block = blocks.free[list];

        for (; block != NULL; block = block->next) {
            check_header(block);
            if (block->bytes >= bytes)
                return block;
        }
    }
    return NULL;
}

/* The block's length has changed: the next one is to know. */
static void set_bytes(struct heap_block *block, size_t bytes)
{
    struct heap_block *next;

    block->bytes = (uint32_t)bytes;
    next = blocks_next(block);
    if (next == NULL)
        blocks.last = block;
    else
        next->before = (uint32_t)bytes;
}

static struct heap_block *make_block(uint8_t *at, size_t bytes, size_t before)
{
    struct heap_block *block = (struct heap_block *)(void *)at;

    *block = (struct heap_block){.magic = heap_magic((uint64_t)(uintptr_t)at),
                                 .before = (uint32_t)before,
                                 .state = BLOCK_FREE};
    set_bytes(block, bytes);
    heap_index_add((uint64_t)(uintptr_t)at);
    return block;
}

/* Two free neighbours become one, which nobody lists. */
static void join(struct heap_block *block, struct heap_block *next)
{
    size_t bytes = (size_t)block->bytes + next->bytes;

    heap_index_remove((uint64_t)(uintptr_t)next, (uint64_t)(uintptr_t)block_end(next));
    memset(next, HEAP_FILL_FREED, sizeof *next);
    set_bytes(block, bytes);
}

void blocks_give(struct heap_block *block)
{
    struct heap_block *next = blocks_next(block);

    block->state = BLOCK_FREE;
    if (next != NULL)
        check_header(next);
    if (next != NULL && next->state == BLOCK_FREE) {
        list_remove(next);
        join(block, next);
    }
    if (block->before != 0) {
        struct heap_block *previous = (void *)((uint8_t *)block - block->before);

        check_header(previous);
        if (previous->state == BLOCK_FREE) {
            list_remove(previous);
            join(previous, block);
            block = previous;
        }
    }
    list_insert(block);
}

/* Memory for a free block of `bytes` or more.  False if it is short. */
static bool grow(size_t bytes)
{
    size_t room = HEAP_RANGE_BYTES - blocks_backed();
    size_t more = (bytes + ARCH_PAGE_BYTES - 1) & ~(size_t)(ARCH_PAGE_BYTES - 1);
    uint8_t *at = blocks.end;

    if (more < GROW_BYTES && GROW_BYTES <= room)
        more = GROW_BYTES;
    if (more > room || !arch_back_pages(at, more))
        return false;
    memset(at, HEAP_FILL_FREED, more);
    blocks.end += more;
    heap_index_grow((uint64_t)(uintptr_t)blocks.end);
    blocks_give(make_block(at, more, blocks.last == NULL ? 0 : blocks.last->bytes));
    return true;
}

struct heap_block *blocks_take(size_t bytes)
{
    struct heap_block *block = find_fit(bytes);

    if (block == NULL && grow(bytes))
        block = find_fit(bytes);
    if (block == NULL)
        return NULL;
    list_remove(block);
    if (block->bytes - bytes >= HEAP_MIN_BLOCK) {
        size_t rest = block->bytes - bytes;

        block->bytes = (uint32_t)bytes;
        list_insert(make_block(block_end(block), rest, bytes));
    }
    return block;
}
