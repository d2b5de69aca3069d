/*
 * memory.c - a range of memory as struct crash_unit pieces of a section.
 *
 * Believes nothing: the range may be rubbish, and what cannot be read is marked as a hole.  Reads
 * only through the source, a unit at a time, straight into the section's buffer.
 */
#include "crashdump.h"
#include "memory_functions.h"

enum { UNIT_ALIGNMENT = 8 };

/* The rest of a range that is being appended. */
struct range {
    struct crash_writer *writer;
    uint64_t addr, left;
    bool in_run; /* the payload's last unit is a hole or zero, and can grow */
};

static size_t round_up(size_t len)
{
    return (len + UNIT_ALIGNMENT - 1) / UNIT_ALIGNMENT * UNIT_ALIGNMENT;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* The part of a range that is within the address space and the limit. */
static uint64_t bounded_length(uint64_t addr, uint64_t len)
{
    if (len > CRASH_MEMORY_BYTES)
        len = CRASH_MEMORY_BYTES;
    return addr + len < addr ? 0 - addr : len;
}

/* Bytes that the next unit may hold: up to a unit's border, so that no read straddles two pages,
 * and as many as there is room for, with a hole after them. */
static size_t next_length(const struct range *range)
{
    size_t headers = 2 * sizeof(struct crash_unit);
    size_t room = CRASH_PAYLOAD_BYTES - range->writer->payload_length;
    uint64_t len = CRASH_UNIT_BYTES - range->addr % CRASH_UNIT_BYTES;

    room = room > headers ? (room - headers) / UNIT_ALIGNMENT * UNIT_ALIGNMENT : 0;
    if (len > range->left)
        len = range->left;
    return len < room ? (size_t)len : room;
}

/* Where the bytes of the next unit go. */
static uint8_t *next_bytes(struct crash_writer *writer)
{
    return writer->payload + writer->payload_length + sizeof(struct crash_unit);
}

static size_t read_unit(struct crash_writer *writer, uint64_t addr, size_t len)
{
    const struct crash_source *source = writer->source;
    size_t got = source ? source->read_memory(source->ctx, addr, next_bytes(writer), len) : 0;

    return got < len ? got : len;
}

/* Let the last unit stand for `len` bytes more, if it is of the same kind. */
static bool grow_run(struct range *range, size_t len, uint32_t flags)
{
    struct crash_unit unit;
    uint8_t *last = range->writer->payload + range->writer->payload_length - sizeof unit;

    if (!range->in_run)
        return false;
    memcpy(&unit, last, sizeof unit);
    if (unit.flags != flags)
        return false;
    unit.length += (uint32_t)len;
    memcpy(last, &unit, sizeof unit);
    return true;
}

/* Describe the next `len` bytes of the range; those of a unit without flags are in place. */
static void append_unit(struct range *range, size_t len, uint32_t flags)
{
    struct crash_writer *writer = range->writer;
    struct crash_unit unit = {.address = range->addr, .length = (uint32_t)len, .flags = flags};
    size_t stored = flags == 0 ? round_up(len) : 0;

    range->addr += len;
    range->left -= len;
    if (len == 0 || grow_run(range, len, flags))
        return;
    if (stored > len)
        memset(next_bytes(writer) + len, 0, stored - len);
    memcpy(writer->payload + writer->payload_length, &unit, sizeof unit);
    writer->payload_length += sizeof unit + stored;
    range->in_run = flags != 0;
}

bool crash_append_memory(struct crash_writer *writer, uint64_t addr, uint64_t len)
{
    struct range range = {.writer = writer, .addr = addr, .left = bounded_length(addr, len)};
    bool cut_off = range.left < len, holes = false;
    size_t asked;

    if (!writer->open)
        return len == 0;
    while ((asked = next_length(&range)) > 0) {
        size_t got = read_unit(writer, range.addr, asked);

        append_unit(&range, got, is_zero(next_bytes(writer), got) ? CRASH_UNIT_ZERO : 0);
        append_unit(&range, asked - got, CRASH_UNIT_HOLE);
        holes = holes || got < asked;
    }
    if (range.left > 0 || cut_off) {
        writer->section.flags |= CRASH_SECTION_TRUNCATED;
        return false;
    }
    return !holes;
}
