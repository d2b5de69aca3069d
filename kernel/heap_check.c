/*
 * heap_check.c - find what was written where it must not be, and say whose block that was.
 *
 * The words of a panic are few: the log gets the rest first.
 */
#include "arch/arch.h"
#include "heap.h"
#include "heap_block.h"
#include "log.h"
#include "panic.h"

/* The first byte in [from, to) that is not `fill`; `to` if there is none. */
static const uint8_t *first_other(const uint8_t *from, const uint8_t *to, uint8_t fill)
{
    while (from < to && *from == fill)
        from++;
    return from;
}

/* Behind the last such byte; `from` if there is none. */
static const uint8_t *end_of_others(const uint8_t *from, const uint8_t *to, uint8_t fill)
{
    while (to > from && to[-1] == fill)
        to--;
    return to;
}

static bool is_whole(const struct heap_block *block)
{
    return block->magic == heap_magic((uint64_t)(uintptr_t)block);
}

/* All that is known of a block. */
static void log_block(const struct heap_block *block)
{
    log_print(LOG_ERROR, "heap: %u bytes at %p: allocated at pc 0x%lx by thread %u", block->size,
              (void *)block_data(block), block->site, block->thread);
    if (block->state != BLOCK_ALLOCATED)
        log_print(LOG_ERROR, "heap: ... freed at pc 0x%lx by thread %u", block->freed_site,
                  block->freed_by);
}

static void log_bytes(const uint8_t *bytes)
{
    log_print(LOG_ERROR, "heap: found at %p: %02x %02x %02x %02x %02x %02x %02x %02x",
              (const void *)bytes, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
              bytes[6], bytes[7]);
}

static _Noreturn void report_outside(const struct heap_block *block, size_t count,
                                     const char *where, const uint8_t *found)
{
    log_block(block);
    log_bytes(found);
    panic("heap: %zu byte%s written %s of a %u-byte block at %p, allocated at pc 0x%lx by thread "
          "%u",
          count, count == 1 ? "" : "s", where, block->size, (void *)block_data(block), block->site,
          block->thread);
}

void check_red_zones(const struct heap_block *block)
{
    const uint8_t *data = block_data(block), *front = data - HEAP_RED_ZONE;
    const uint8_t *behind = data + block->size, *end = block_end(block);
    const uint8_t *first = first_other(front, data, HEAP_FILL_RED_ZONE);
    const uint8_t *last = end_of_others(behind, end, HEAP_FILL_RED_ZONE);

    if (last > behind)
        report_outside(block, (size_t)(last - behind), "past the end",
                       first_other(behind, end, HEAP_FILL_RED_ZONE));
    if (first < data)
        report_outside(block, (size_t)(data - first), "before the start", first);
}

void check_was_free(const uint8_t *bytes, size_t len)
{
    const uint8_t *other = first_other(bytes, bytes + len, HEAP_FILL_FREED);

    if (other == bytes + len)
        return;
    log_bytes(other);
    panic("heap: free memory was written at %p, long after it was freed", (const void *)other);
}

void check_poison(const struct heap_block *block)
{
    const uint8_t *data = block_data(block);
    const uint8_t *other;

    if (block->state == BLOCK_FREE) {
        check_was_free((const uint8_t *)(block + 1), block->bytes - sizeof *block);
        return;
    }
    other = first_other(data, data + block->size, HEAP_FILL_FREED);
    if (other == data + block->size)
        return;
    log_block(block);
    log_bytes(other);
    panic("heap: byte %zu of a %u-byte block at %p was written after its free at pc 0x%lx by "
          "thread %u",
          (size_t)(other - data), block->size, (const void *)data, block->freed_site,
          block->freed_by);
}

/* Does a block end at `address`?  Then a header is there, or was: *before is where it begins. */
static bool ends_at(uint64_t address, uint64_t *before)
{
    struct heap_block header;

    *before = heap_find(address - 1, &header);
    return *before != 0 && *before + header.bytes == address;
}

void check_header(const struct heap_block *block)
{
    uint64_t before;

    if (is_whole(block))
        return;
    if (ends_at((uint64_t)(uintptr_t)block, &before)) {
        const struct heap_block *culprit = (const struct heap_block *)(uintptr_t)before;

        if (culprit->state != BLOCK_FREE)
            check_red_zones(culprit);
    }
    log_bytes((const uint8_t *)block);
    panic("heap: the header of the block at %p is overwritten", (void *)block_data(block));
}

static _Noreturn void report_no_block(uint64_t address)
{
    struct heap_object object;

    if (!heap_describe(address, &object))
        panic("heap: 0x%lx is freed, which is not in the heap", address);
    if (object.state == HEAP_FREE)
        panic("heap: 0x%lx is freed, which is in free memory", address);
    panic(
        "heap: 0x%lx is freed, which is %ld bytes from the start of a %u-byte block, allocated at "
        "pc 0x%lx",
        address, (long)(address - object.start), object.size, object.site);
}

/* The header that belongs to `address`, if that is what heap_alloc() returned once. */
static struct heap_block *header_of(uint64_t address)
{
    uint64_t at = address - HEAP_IN_FRONT, magic, before;
    struct heap_block *block = (struct heap_block *)(uintptr_t)at;

    if (arch_copy_from(&magic, at, sizeof magic) == sizeof magic && magic == heap_magic(at))
        return block;
    if (block == blocks_next(NULL) || ends_at(at, &before))
        check_header(block);
    report_no_block(address);
}

struct heap_block *check_pointer(const void *pointer)
{
    struct heap_block *block = header_of((uint64_t)(uintptr_t)pointer);

    if (block->state == BLOCK_ALLOCATED)
        return block;
    if (block->state == BLOCK_FREE)
        report_no_block((uint64_t)(uintptr_t)pointer);
    log_block(block);
    panic("heap: a %u-byte block at %p is freed twice, first at pc 0x%lx by thread %u", block->size,
          pointer, block->freed_site, block->freed_by);
}
