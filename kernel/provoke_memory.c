/*
 * provoke_memory.c - stories of parcels that are kept, or thought to be kept, in the heap.
 */
#include <stddef.h>

#include "frames.h"
#include "heap.h"
#include "panic.h"
#include "provoke_stories.h"
#include "string.h"

static struct {
    struct parcel *volatile shelf;
    volatile uint64_t parcel_count;
    volatile uint64_t total_weight;
} store;

/* The addressee's name is longer than whoever made room for it thought. */
STORY void provoke_heap_overflow(void)
{
    static const char *volatile name = "Ada Augusta King, Countess of Lovelace, London";
    char *copy = heap_alloc(40);

    if (copy != NULL)
        memcpy(copy, name, 45);
    heap_free(copy);
}

/* Somebody else still has the parcel that was delivered. */
STORY void provoke_heap_use_after_free(void)
{
    store.shelf = heap_alloc(sizeof *store.shelf);
    heap_free(store.shelf);
    store.shelf->weight = 250;
    heap_check();
}

STORY void provoke_heap_read_after_free(void)
{
    store.shelf = heap_alloc(sizeof *store.shelf);
    heap_free(store.shelf);
    store.total_weight += store.shelf->next->weight;
}

STORY void provoke_heap_double_free(void)
{
    store.shelf = heap_alloc(sizeof *store.shelf);
    heap_free(store.shelf);
    heap_free(store.shelf);
}

STORY void provoke_out_of_memory(void)
{
    while (heap_alloc(HEAP_MAX_BYTES) != NULL)
        store.parcel_count++;
    panic("out of memory: no room for another parcel, %zu page frames are free",
          frames_counts().free);
}
