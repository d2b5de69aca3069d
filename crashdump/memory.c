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
    static const uint8_t zeros[CRASH_UNIT_BYTES];

    return memcmp(bytes, zeros, len) == 0;
}

static uint64_t within_address_space(uint64_t addr, uint64_t len)
{
    return addr + len < addr ? 0 - addr : len;
}

/* The part of a range that is within the address space and the limit. */
static uint64_t bounded_length(uint64_t addr, uint64_t len)
{
    return within_address_space(addr, len > CRASH_MEMORY_BYTES ? CRASH_MEMORY_BYTES : len);
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

/* The first of the `len` bytes that are secret, or that are not. */
static size_t alike(const struct range *range, size_t len, bool *secret)
{
    const struct crash_source *source = range->writer->source;
    size_t same;

    *secret = false;
    if (len == 0 || source == NULL || source->classify == NULL)
        return len;
    same = source->classify(source->ctx, range->addr, len, secret);
    return same == 0 || same > len ? len : same;
}

/* Append what the section has room for.  Returns true if there was no hole. */
static bool append_range(struct range *range)
{
    struct crash_writer *writer = range->writer;
    bool holes = false, secret;
    size_t asked, got;

    while ((asked = alike(range, next_length(range), &secret)) > 0) {
        got = secret ? 0 : read_unit(writer, range->addr, asked);
        append_unit(range, got, is_zero(next_bytes(writer), got) ? CRASH_UNIT_ZERO : 0);
        append_unit(range, asked - got, CRASH_UNIT_HOLE | (secret ? CRASH_UNIT_SECRET : 0));
        holes = holes || got < asked;
    }
    return !holes;
}

bool crash_append_memory(struct crash_writer *writer, uint64_t addr, uint64_t len)
{
    struct range range = {.writer = writer, .addr = addr, .left = bounded_length(addr, len)};
    bool cut_off = range.left < len, whole;

    if (!writer->open)
        return len == 0;
    whole = append_range(&range);
    if (range.left == 0 && !cut_off)
        return whole;
    writer->section.flags |= CRASH_SECTION_TRUNCATED;
    return false;
}

void crash_memory(struct crash_writer *writer, uint32_t tag, uint64_t addr, uint64_t len)
{
    uint64_t end = addr + within_address_space(addr, len);
    bool fresh = writer->open && writer->section.tag == tag && writer->payload_length == 0;

    while (addr != end && !writer->refused) {
        struct range range = {.writer = writer, .addr = addr};

        if (!fresh) {
            crash_section_end(writer, false);
            crash_section_begin(writer, tag, addr);
        }
        fresh = false;
        writer->section.address = addr;
        range.left = bounded_length(addr, end - addr);
        (void)append_range(&range);
        addr = range.addr;
    }
}
