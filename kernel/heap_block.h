/*
 * heap_block.h - the heap from inside: one row of blocks without gaps.
 *
 *   | header | red zone | the caller's bytes | red zone | header | ...
 *
 * The second red zone reaches to the next header, and is of at least HEAP_RED_ZONE bytes.  Of a
 * free block all behind the header is HEAP_FILL_FREED.
 */
#ifndef KERNEL_HEAP_BLOCK_H
#define KERNEL_HEAP_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap.h"

#define HEAP_RANGE_BYTES (256u << 20) /* of addresses; backed as it grows */

enum heap_block_state {
    BLOCK_FREE = HEAP_FREE,
    BLOCK_ALLOCATED = HEAP_ALLOCATED,
    BLOCK_FREED = HEAP_FREED,
    BLOCK_CHANGING, /* somebody is at it, without the lock: only its header is to be looked at */
};

struct heap_block {
    uint64_t magic;  /* heap_magic() of its address */
    uint32_t bytes;  /* from this header to the next */
    uint32_t before; /* `bytes` of the block in front; 0: this is the first */
    uint32_t size;   /* the caller's bytes */
    uint32_t state;  /* enum heap_block_state */
    uint32_t thread, freed_by;
    uint64_t site, freed_site;
    struct heap_block *next,
        *previous; /* among free ones of like size; or, next, among freed ones */
};

enum heap_block_sizes {
    HEAP_RED_ZONE = 16,
    HEAP_IN_FRONT = sizeof(struct heap_block) + HEAP_RED_ZONE,
    HEAP_MIN_BLOCK = HEAP_IN_FRONT + HEAP_ALIGNMENT + HEAP_RED_ZONE,
};
_Static_assert(HEAP_IN_FRONT % HEAP_ALIGNMENT == 0, "the caller's bytes are aligned");

static inline uint64_t heap_magic(uint64_t address)
{
    return UINT64_C(0xb10c4ead5afe0bad) ^ address;
}

static inline uint8_t *block_data(const struct heap_block *block)
{
    return (uint8_t *)(uintptr_t)block + HEAP_IN_FRONT;
}

/* Where the next block begins. */
static inline uint8_t *block_end(const struct heap_block *block)
{
    return (uint8_t *)(uintptr_t)block + block->bytes;
}

/* ---- heap_blocks.c: cuts memory into blocks, and joins free ones.  Under the heap's lock. ---- */

void blocks_init(void);

/* A block of at least `bytes`, header and red zones included: free until the caller fills in the
 * rest of its header.  NULL if memory is short. */
struct heap_block *blocks_take(size_t bytes);

/* All behind its header must be HEAP_FILL_FREED. */
void blocks_give(struct heap_block *block);

/* The block behind `block`, the first one after NULL; NULL past the last. */
struct heap_block *blocks_next(const struct heap_block *block);

size_t blocks_backed(void);

/* ---- heap_index.c: finds blocks by addresses inside of them ---- */

void heap_index_init(uint64_t start);
void heap_index_grow(uint64_t end);

/* A block begins at `address`; one does no longer, and the next one begins at `next`. */
void heap_index_add(uint64_t address);
void heap_index_remove(uint64_t address, uint64_t next);

/* Copy the header of the block around `address`, which is in the heap; returns where it is, 0 if
 * headers on the way to it are destroyed or `address` is elsewhere.  Anywhere. */
uint64_t heap_find(uint64_t address, struct heap_block *header);

/* ---- heap_check.c: panics with words if a block was misused ---- */

void check_header(const struct heap_block *block);
void check_red_zones(const struct heap_block *block);

/* The caller's bytes of a freed block; or all behind the header of a free one. */
void check_poison(const struct heap_block *block);

/* Bytes that come from free memory, and are about to be somebody's. */
void check_was_free(const uint8_t *bytes, size_t len);

/* The allocated block that `pointer` is to; panics if there is none. */
struct heap_block *check_pointer(const void *pointer);

#endif
