/*
 * memory_scan.c - qCRC qSearch: questions about much memory whose answers are short.
 *
 * GDB waits a few seconds for a reply, so the work that one request may cause is bounded: what is
 * longer is refused, never answered in part.
 */
#include "internal.h"

enum {
    WORK_BYTES = 64 << 20, /* read and compared for one request */
    NIBBLE_VALUES = 16,
};

/* The CRC of GDB's `compare-sections`: 0x04c11db7, highest bit first, by half bytes. */
static uint32_t crc32(uint32_t crc, const uint8_t *data, size_t len)
{
    static const uint32_t table[NIBBLE_VALUES] = {
        0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b,
        0x1a864db2, 0x1e475005, 0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61,
        0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
    };

    for (; len > 0; len--, data++) {
        crc = crc << 4 ^ table[crc >> 28 ^ *data >> 4];
        crc = crc << 4 ^ table[crc >> 28 ^ (*data & 15)];
    }
    return crc;
}

static enum verdict too_long(struct gdbstub *stub)
{
    return stub_refuse(stub, "more than 64 MiB of work: ask in pieces");
}

/* Until the reply is written, its room is free. */
static uint8_t *scratch(struct gdbstub *stub)
{
    return stub->out;
}

/* Where that runs which the ELF file loads at `addr`. */
static uint64_t running_address(const struct gdbstub *stub, uint64_t addr)
{
    const struct gdbstub_arch *arch = stub->port->arch;

    return addr - arch->loaded.start < arch->loaded.length ? addr + arch->loaded_offset : addr;
}

/* qCRC:ADDRESS,LENGTH */
enum verdict stub_handle_crc(struct gdbstub *stub, struct request *request)
{
    uint8_t *data = scratch(stub);
    uint32_t crc = UINT32_MAX;
    uint64_t addr = running_address(stub, request->value[0]), len = request->value[1];

    if (len > WORK_BYTES)
        return too_long(stub);
    while (len > 0) {
        size_t wanted = len < GDBSTUB_PACKET_SIZE ? (size_t)len : GDBSTUB_PACKET_SIZE;
        if (stub_read_memory(stub, addr, data, wanted) < wanted)
            return VERDICT_NO_ACCESS;
        crc = crc32(crc, data, wanted);
        addr += wanted;
        len -= wanted;
    }
    stub_put(stub, "C%x", (uint64_t)crc);
    return VERDICT_REPLY;
}

struct search {
    uint64_t addr, left; /* what has yet to be searched */
    const uint8_t *pattern;
    size_t length; /* of the pattern */
    uint64_t work; /* bytes that may still be read and compared */
};

static bool has_work(struct search *search, uint64_t bytes)
{
    if (search->work < bytes)
        return false;
    search->work -= bytes;
    return true;
}

/* The first place of the pattern in `got` bytes, `got` if there is none.  False if the work is too
 * much. */
static bool find(struct search *search, const uint8_t *data, size_t got, size_t *place)
{
    size_t length = search->length;

    for (*place = 0; *place + length <= got; ++*place) {
        if (data[*place] != search->pattern[0])
            continue;
        if (!has_work(search, length))
            return false;
        if (memcmp(data + *place, search->pattern, length) == 0)
            return true;
    }
    *place = got;
    return true;
}

/* "1,ADDRESS": found; "0": not there.  Memory that cannot be read before it was found is an error:
 * "not there" would be a lie. */
static enum verdict search_memory(struct gdbstub *stub, struct search *search)
{
    uint8_t *data = scratch(stub);
    size_t place;

    while (search->left >= search->length) {
        size_t wanted =
            search->left < GDBSTUB_PACKET_SIZE ? (size_t)search->left : GDBSTUB_PACKET_SIZE;
        if (!has_work(search, wanted))
            return too_long(stub);
        size_t got = stub_read_memory(stub, search->addr, data, wanted);
        if (!find(search, data, got, &place))
            return too_long(stub);
        if (place < got) {
            stub_put(stub, "1,%x", search->addr + place);
            return VERDICT_REPLY;
        }
        if (got < wanted)
            return VERDICT_NO_ACCESS;
        /* A pattern may begin in this piece and end in the next. */
        search->addr += got - search->length + 1;
        search->left -= got - search->length + 1;
    }
    stub_put_char(stub, '0');
    return VERDICT_REPLY;
}

/* qSearch:memory:ADDRESS;LENGTH;PATTERN, the pattern in escaped binary */
enum verdict stub_handle_search(struct gdbstub *stub, struct request *request)
{
    struct search search = {
        .addr = request->value[0],
        .left = stub_clip_range(request->value[0], request->value[1]),
        .pattern = request->bytes.at,
        .length = (size_t)(request->bytes.end - request->bytes.at),
        .work = WORK_BYTES,
    };

    if (search.length == 0)
        return VERDICT_MALFORMED;
    return search_memory(stub, &search);
}
