/*
 * compress.c - makes a section's payload shorter: the LZ4 block format (FORMAT.md, "Compression").
 *
 * Greedy, with one place remembered per hash: memory, tables and text become a half to a fifth.
 * Reads and writes nothing outside the buffers it is given, whatever is in them.
 */
#include "crashdump.h"
#include "memory_functions.h"

enum {
    MATCH_LEAST = 4,   /* shorter repetitions are not worth naming */
    LITERALS_LAST = 5, /* LZ4: a block's last bytes are literals, */
    MATCH_MARGIN = 12, /* ... and no match begins closer to its end */
    NIBBLE = 15,       /* a length from here on goes on in bytes of its own */
    BYTE = 255,
};
_Static_assert(CRASH_PAYLOAD_BYTES < UINT16_MAX, "places and distances have 16 bits");

struct packer {
    uint8_t *to;
    size_t length, room;
    bool full;
};

static void put(struct packer *packer, uint8_t byte)
{
    if (packer->length == packer->room)
        packer->full = true;
    else
        packer->to[packer->length++] = byte;
}

static void put_length(struct packer *packer, size_t length)
{
    if (length < NIBBLE)
        return;
    for (length -= NIBBLE; length >= BYTE; length -= BYTE)
        put(packer, BYTE);
    put(packer, (uint8_t)length);
}

static uint8_t nibble(size_t length)
{
    return (uint8_t)(length < NIBBLE ? length : NIBBLE);
}

/* Literals, then a copy of `match` bytes from `distance` before; the last sequence has no copy. */
static void put_sequence(struct packer *packer, const uint8_t *literals, size_t count,
                         size_t distance, size_t match)
{
    size_t more = match > 0 ? match - MATCH_LEAST : 0;

    put(packer, (uint8_t)(nibble(count) << 4 | nibble(more)));
    put_length(packer, count);
    for (size_t i = 0; i < count; i++)
        put(packer, literals[i]);
    if (match == 0)
        return;
    put(packer, (uint8_t)distance);
    put(packer, (uint8_t)(distance >> 8));
    put_length(packer, more);
}

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Where the four bytes at `at` were seen last (0: never, or at 0); from now on it is `at`. */
static size_t remember(struct crash_compressor *compressor, const uint8_t *bytes, size_t at)
{
    uint32_t hash = word_at(bytes + at) * 2654435761u; /* 2^32 over the golden ratio */
    uint16_t *place = &compressor->seen[hash / (UINT32_MAX / CRASH_COMPRESS_TABLE + 1)];
    size_t before = *place;

    *place = (uint16_t)at;
    return before;
}

static size_t match_length(const uint8_t *bytes, size_t before, size_t at, size_t end)
{
    size_t length = 0;

    while (at + length < end && bytes[before + length] == bytes[at + length])
        length++;
    return length;
}

size_t crash_compress(struct crash_compressor *compressor, const uint8_t *bytes, size_t len)
{
    struct packer packer = {.to = compressor->packed, .room = len - 1};
    size_t done = 0, at = 1;

    if (len <= MATCH_MARGIN || len > CRASH_PAYLOAD_BYTES)
        return 0;
    memset(compressor->seen, 0, sizeof compressor->seen);
    while (at < len - MATCH_MARGIN && !packer.full) {
        size_t before = remember(compressor, bytes, at);
        size_t match = before < at ? match_length(bytes, before, at, len - LITERALS_LAST) : 0;

        if (match < MATCH_LEAST) {
            at++;
            continue;
        }
        put_sequence(&packer, bytes + done, at - done, at - before, match);
        at += match;
        done = at;
    }
    put_sequence(&packer, bytes + done, len - done, 0, 0);
    return packer.full ? 0 : packer.length;
}
