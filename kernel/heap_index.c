/*
 * heap_index.c - find the block that an address belongs to, without following anything but headers
 * on one page.
 *
 * For each page, where the first block begins in it.  Written under the heap's lock, read without.
 */
#include "arch/arch.h"
#include "heap.h"
#include "heap_block.h"

enum {
    PAGES = HEAP_RANGE_BYTES / ARCH_PAGE_BYTES,
};

static struct {
    uint64_t start, end;   /* [start, end) is backed */
    uint16_t first[PAGES]; /* 1 + offset / HEAP_ALIGNMENT; 0: no block begins in that page */
} heap_index;

static size_t page_of(uint64_t address)
{
    return (size_t)((address - heap_index.start) / ARCH_PAGE_BYTES);
}

static uint16_t mark_of(uint64_t address)
{
    return (uint16_t)(1 + address % ARCH_PAGE_BYTES / HEAP_ALIGNMENT);
}

/* Where the first block of a page begins, if there is one. */
static uint64_t first_in(size_t page)
{
    return heap_index.start + page * ARCH_PAGE_BYTES +
           (heap_index.first[page] - 1u) * (uint64_t)HEAP_ALIGNMENT;
}

void heap_index_init(uint64_t start)
{
    heap_index.start = start;
    heap_index.end = start;
}

void heap_index_grow(uint64_t end)
{
    heap_index.end = end;
}

void heap_index_add(uint64_t address)
{
    uint16_t *first = &heap_index.first[page_of(address)];

    if (*first == 0 || mark_of(address) < *first)
        *first = mark_of(address);
}

void heap_index_remove(uint64_t address, uint64_t next)
{
    uint16_t *first = &heap_index.first[page_of(address)];

    if (*first != mark_of(address))
        return;
    *first = next < heap_index.end && page_of(next) == page_of(address) ? mark_of(next) : 0;
}

/* The header at `at`, if it is one. */
static bool read_header(uint64_t at, struct heap_block *header)
{
    return arch_copy_from(header, at, sizeof *header) == sizeof *header &&
           header->magic == heap_magic(at) && header->bytes >= HEAP_MIN_BLOCK;
}

uint64_t heap_find(uint64_t address, struct heap_block *header)
{
    size_t page;
    uint64_t at;

    if (address < heap_index.start || address >= heap_index.end)
        return 0;
    page = page_of(address);
    if (heap_index.first[page] != 0 && first_in(page) > address)
        page--; /* never the first page: a block begins where it does */
    while (page > 0 && heap_index.first[page] == 0)
        page--;
    if (heap_index.first[page] == 0)
        return 0;
    for (at = first_in(page); at <= address; at += header->bytes) {
        if (!read_header(at, header))
            return 0;
        if (address - at < header->bytes)
            return at;
    }
    return 0;
}

static enum heap_place place_of(const struct heap_object *object, uint64_t address)
{
    if (address < object->start)
        return HEAP_BEFORE_BLOCK;
    return address - object->start < object->size ? HEAP_IN_BLOCK : HEAP_BEHIND_BLOCK;
}

bool heap_describe(uint64_t address, struct heap_object *object)
{
    struct heap_block header;
    uint64_t at = heap_find(address, &header);

    if (at == 0)
        return false;
    if (header.state == BLOCK_FREE) {
        *object = (struct heap_object){
            .state = HEAP_FREE,
            .place = HEAP_IN_BLOCK,
            .start = at,
            .size = header.bytes,
        };
        return true;
    }
    *object = (struct heap_object){
        .state = header.state == BLOCK_ALLOCATED ? HEAP_ALLOCATED : HEAP_FREED,
        .start = at + HEAP_IN_FRONT,
        .size = header.size,
        .thread = header.thread,
        .freed_by = header.freed_by,
        .site = header.site,
        .freed_site = header.freed_site,
    };
    object->place = place_of(object, address);
    return true;
}
