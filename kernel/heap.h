/*
 * heap.h - memory of any size for the kernel, which tells on those who misuse it.
 *
 * Around each block are red zones; freed ones are filled with poison and kept back for a while.
 * Writing outside of a block or after it was freed, freeing twice or what is no block: each ends in
 * a panic that names the block, and who allocated or freed it.
 */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum heap_limits {
    HEAP_ALIGNMENT = 16,
    HEAP_MAX_BYTES = 1 << 20, /* of one block */
};

/* What bytes are filled with, to be known by. */
enum heap_fill {
    HEAP_FILL_NEW = 0xcd,      /* allocated, not written yet */
    HEAP_FILL_FREED = 0xdf,    /* ... and eight of it are no address: reading through them faults */
    HEAP_FILL_RED_ZONE = 0xfd, /* before and behind a block */
};

void heap_init(void);

/* `size` bytes, aligned to HEAP_ALIGNMENT, filled with HEAP_FILL_NEW.  NULL if memory is short, if
 * `size` is 0 or larger than HEAP_MAX_BYTES. */
void *heap_alloc(size_t size);

/* NULL is ignored. */
void heap_free(void *pointer);

/* Look at every block there is, with the heap locked all along: panics at the first that was
 * misused. */
void heap_check(void);

struct heap_counts {
    size_t blocks, bytes; /* allocated; as their callers asked */
    size_t kept_back;     /* bytes of freed blocks that nobody gets yet */
    size_t backed;        /* bytes of memory that all this takes */
};
struct heap_counts heap_counts(void);

/* ---- For debuggers and crash records ---- */

enum heap_state {
    HEAP_FREE = 1, /* nobody's: never allocated, or freed long ago */
    HEAP_ALLOCATED,
    HEAP_FREED, /* kept back: who freed it is still known */
};

enum heap_place {
    HEAP_IN_BLOCK = 1, /* between start and start + size */
    HEAP_BEFORE_BLOCK, /* in its header or the red zone in front */
    HEAP_BEHIND_BLOCK, /* in the red zone behind it */
};

struct heap_object {
    enum heap_state state;
    enum heap_place place; /* of the address asked about */
    uint64_t start;        /* of the block's bytes, as heap_alloc() returned it */
    uint32_t size;         /* as asked for; of free memory, all there is */
    uint32_t thread;       /* who allocated it, 0: before there were any */
    uint32_t freed_by;     /* who freed it */
    uint64_t site;         /* the pc that heap_alloc() returned to; 0 in free memory */
    uint64_t freed_site;   /* the pc that heap_free() returned to */
};

/* The block around `address`; false if it is not in the heap, or what describes it is destroyed.
 * Takes no lock and trusts no pointer; anywhere. */
bool heap_describe(uint64_t address, struct heap_object *object);

#endif
