/*
 * lines.c - the sink that sends a record over a console: one self-describing line per 96 bytes.
 *
 *     ~1a2b3c4d:D:000060:<base64>:89abcdef        (FORMAT.md, "On a serial line")
 *
 * Each line can be lost, repeated, moved or mixed with other output without harm to the next; and
 * of each group of lines, one that is lost can be restored from the others and a parity line.
 * Waits for nobody and asks for nothing back; once `print` has refused, prints no more.
 */
#include "crashdump.h"
#include "memory_functions.h"

enum {
    ID_DIGITS = 8,
    OFFSET_DIGITS = 6, /* CRASH_LINES_RECORD */
    CRC_DIGITS = 8,
};

enum line_type {
    LINE_BEGIN = 'B',
    LINE_DATA = 'D',
    LINE_PARITY = 'P',
    LINE_END = 'E',
};

/* Base64, but `.` and `_` for `+` and `/`: a GDB on the line takes `+` for an answer. */
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

/* A line being composed. */
struct composer {
    char text[CRASH_LINE_CHARACTERS];
    size_t length;
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void put(struct composer *line, char character)
{
    line->text[line->length++] = character;
}

static void put_hex(struct composer *line, uint32_t value, unsigned digits)
{
    while (digits-- > 0)
        put(line, "0123456789abcdef"[value >> 4 * digits & 15]);
}

/* Three bytes are four digits; at the end one byte is two and two bytes are three. */
static void put_base64(struct composer *line, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        uint32_t group = 0;
        size_t have = smaller(len - i, 3);

        for (size_t j = 0; j < have; j++)
            group |= (uint32_t)bytes[i + j] << (16 - 8 * j);
        for (size_t j = 0; j <= have; j++)
            put(line, base64_digits[group >> (18 - 6 * j) & 63]);
    }
}

static bool print_line(struct crash_lines *lines, enum line_type type, uint32_t offset,
                       const void *bytes, size_t len)
{
    struct composer line = {.length = 0};
    size_t checked;

    if (lines->dead)
        return false;
    if (type == LINE_BEGIN) { /* whatever the console was in the middle of */
        put(&line, '\r');
        put(&line, '\n');
    }
    put(&line, '~');
    checked = line.length;
    put_hex(&line, lines->record_id, ID_DIGITS);
    put(&line, ':');
    put(&line, (char)type);
    put(&line, ':');
    put_hex(&line, offset, OFFSET_DIGITS);
    put(&line, ':');
    put_base64(&line, bytes, len);
    put(&line, ':');
    put_hex(&line, crash_crc32c(0, line.text + checked, line.length - checked), CRC_DIGITS);
    put(&line, '\r');
    put(&line, '\n');
    lines->dead = !lines->print(lines->ctx, line.text, line.length);
    return !lines->dead;
}

static bool print_begin(struct crash_lines *lines)
{
    static const uint8_t version = CRASH_LINES_VERSION;

    return print_line(lines, LINE_BEGIN, 0, &version, sizeof version);
}

/* The lines that make up for one lost line of each group, and a new stripe of groups. */
static bool print_parity(struct crash_lines *lines)
{
    bool printed = !lines->dead;

    for (size_t group = 0; printed && group < CRASH_PARITY_GROUPS; group++) {
        const struct crash_parity *parity = &lines->parity[group];

        if (parity->lines > 0)
            printed =
                print_line(lines, LINE_PARITY, lines->stripe + (uint32_t)group * CRASH_LINE_BYTES,
                           parity, sizeof *parity);
    }
    memset(lines->parity, 0, sizeof lines->parity);
    lines->stripe = lines->length;
    return printed;
}

/* A line's bytes join its group: neighbours are in different ones, so that a few lines may be lost
 * in a row. */
static void add_to_parity(struct crash_lines *lines, uint32_t offset, size_t len)
{
    uint32_t group = (offset - lines->stripe) / CRASH_LINE_BYTES % CRASH_PARITY_GROUPS;
    struct crash_parity *parity = &lines->parity[group];

    for (size_t i = 0; i < len; i++)
        parity->bytes[i] ^= lines->line[i];
    parity->lines++;
    parity->last_length = (uint8_t)len;
}

/* The part of a line that is full, or that the record's end leaves. */
static bool flush(struct crash_lines *lines)
{
    size_t fill = lines->fill;
    uint32_t offset = lines->length - (uint32_t)fill;

    if (fill == 0)
        return !lines->dead;
    lines->fill = 0;
    add_to_parity(lines, offset, fill);
    if (!print_line(lines, LINE_DATA, offset, lines->line, fill))
        return false;
    return lines->parity[CRASH_PARITY_GROUPS - 1].lines < CRASH_PARITY_LINES || print_parity(lines);
}

static bool lines_write(void *ctx, const void *bytes, size_t len)
{
    struct crash_lines *lines = ctx;
    const uint8_t *next = bytes;

    if (lines->dead || len > CRASH_LINES_RECORD - lines->length)
        return false;
    if (lines->length == 0 && !print_begin(lines))
        return false;
    while (len > 0) {
        size_t part = smaller(len, CRASH_LINE_BYTES - lines->fill);

        memcpy(lines->line + lines->fill, next, part);
        lines->fill += part;
        lines->length += (uint32_t)part;
        next += part;
        len -= part;
        if (lines->fill == CRASH_LINE_BYTES && !flush(lines))
            return false;
    }
    return true;
}

static bool lines_commit(void *ctx)
{
    struct crash_lines *lines = ctx;

    return flush(lines) && print_parity(lines) &&
           print_line(lines, LINE_END, lines->length, NULL, 0);
}

void crash_lines_init(struct crash_lines *lines, struct crash_sink *sink, uint32_t record_id)
{
    lines->dead = false;
    lines->record_id = record_id;
    lines->length = 0;
    lines->fill = 0;
    lines->stripe = 0;
    memset(lines->parity, 0, sizeof lines->parity);
    *sink = (struct crash_sink){.ctx = lines, .write = lines_write, .commit = lines_commit};
}
