/*
 * test_crashdump_lines.c - the sink that prints lines: their form, their order, a dead console.
 *
 * The lines are taken apart here by other means than those that made them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_sink.h"

enum {
    RECORD_BYTES = 10000,
    MOST_LINES = 400,
    RECORD_ID = 0x1a2b3c4d,
};

struct line {
    char type;
    uint32_t offset;
    size_t length;
    uint8_t data[sizeof(struct crash_parity) + 3];
};

static struct crash_lines lines;
static struct crash_sink sink;
static struct fake_console console;
static uint8_t record[RECORD_BYTES];
static struct line parsed[MOST_LINES];
static size_t parsed_count;

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof record; i++)
        record[i] = (uint8_t)(i * 31 + i / 256);
    fake_console_init(&console, &lines);
    crash_lines_init(&lines, &sink, RECORD_ID);
    return 0;
}

static unsigned digit_value(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    const char *found = strchr(digits, digit);

    assert_non_null(found);
    assert_true(*found != '\0');
    return (unsigned)(found - digits);
}

static size_t decode(const char *text, size_t len, uint8_t *data)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t length = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 6 | digit_value(text[i]);
        have += 6;
        if (have >= 8) {
            have -= 8;
            assert_true(length < sizeof(struct crash_parity));
            data[length++] = (uint8_t)(bits >> have);
        }
    }
    return length;
}

static void parse_line(const char *text, size_t len, struct line *line)
{
    unsigned id, offset, crc;
    size_t end = len - 9; /* of what the checksum covers, with the last colon */

    assert_true(len + 2 <= CRASH_LINE_CHARACTERS);
    assert_int_equal(sscanf(text, "~%8x:%c:%6x:", &id, &line->type, &offset), 3);
    assert_int_equal(id, RECORD_ID);
    assert_int_equal(text[end], ':');
    assert_int_equal(sscanf(text + end + 1, "%8x", &crc), 1);
    assert_int_equal(crc, crash_crc32c(0, text + 1, end));
    line->offset = offset;
    line->length = decode(text + 19, end - 19, line->data);
}

static void parse(void)
{
    const char *text = console.text, *end = console.text + console.length;

    assert_memory_equal(text, "\r\n", 2);
    for (parsed_count = 0; text < end;) {
        const char *stop = strstr(text, "\r\n");

        assert_non_null(stop);
        if (stop > text)
            parse_line(text, (size_t)(stop - text), &parsed[parsed_count++]);
        text = stop + 2;
    }
}

static bool send(size_t len, size_t part)
{
    for (size_t i = 0; i < len; i += part)
        if (!sink.write(sink.ctx, record + i, len - i < part ? len - i : part))
            return false;
    return sink.commit(sink.ctx);
}

/* The lines of one record: BEGIN, all of its bytes in order, END with its length.  Lines of parity
 * may stand between; returns how many there are. */
static size_t expect_record(size_t len)
{
    size_t i = 0, others = 0, offset = 0;

    assert_int_equal(parsed[i].type, 'B');
    assert_int_equal(parsed[i].length, 1);
    assert_int_equal(parsed[i++].data[0], CRASH_LINES_VERSION);
    for (; parsed[i].type == 'D' || parsed[i].type == 'P'; i++) {
        if (parsed[i].type == 'P') {
            others++;
            continue;
        }
        assert_int_equal(parsed[i].offset, offset);
        assert_true(parsed[i].length == CRASH_LINE_BYTES || offset + parsed[i].length == len);
        assert_memory_equal(parsed[i].data, record + offset, parsed[i].length);
        offset += parsed[i].length;
    }
    assert_int_equal(offset, len);
    assert_int_equal(parsed[i].type, 'E');
    assert_int_equal(parsed[i].offset, len);
    assert_int_equal(parsed[i].length, 0);
    assert_int_equal(i + 1, parsed_count);
    return others;
}

static void a_record_goes_out_whole_and_once(void **state)
{
    (void)state;
    assert_true(send(RECORD_BYTES, 1000));
    parse();
    expect_record(RECORD_BYTES);
}

static void a_record_of_any_length_goes_out(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 2 * CRASH_LINE_BYTES + 1; len++) {
        set_up(NULL);
        assert_true(send(len, len));
        parse();
        assert_int_equal(expect_record(len), (len + CRASH_LINE_BYTES - 1) / CRASH_LINE_BYTES);
    }
}

/* What the group of that line of parity would have without its line at `missing`. */
static void combine(const struct line *parity, size_t missing, uint8_t *result)
{
    memcpy(result, parity->data, CRASH_LINE_BYTES);
    for (size_t n = 0; n < parity->data[CRASH_LINE_BYTES]; n++) {
        size_t offset = parity->offset + n * CRASH_PARITY_GROUPS * CRASH_LINE_BYTES;

        for (size_t i = 0; offset != missing && i < CRASH_LINE_BYTES; i++)
            result[i] ^= offset + i < RECORD_BYTES ? record[offset + i] : 0;
    }
}

static void every_line_follows_from_its_group(void **state)
{
    size_t restored = 0;
    uint8_t result[CRASH_LINE_BYTES];

    (void)state;
    assert_true(send(RECORD_BYTES, 777));
    parse();
    for (size_t i = 0; i < parsed_count; i++) {
        const struct line *parity = &parsed[i];

        if (parity->type != 'P')
            continue;
        assert_int_equal(parity->length, CRASH_LINE_BYTES + 2);
        for (size_t n = 0; n < parity->data[CRASH_LINE_BYTES]; n++, restored++) {
            size_t offset = parity->offset + n * CRASH_PARITY_GROUPS * CRASH_LINE_BYTES;
            size_t len = RECORD_BYTES - offset;

            len = len < CRASH_LINE_BYTES ? len : CRASH_LINE_BYTES;
            combine(parity, offset, result);
            assert_memory_equal(result, record + offset, len);
            if (n + 1 == parity->data[CRASH_LINE_BYTES])
                assert_int_equal(parity->data[CRASH_LINE_BYTES + 1], len);
        }
    }
    assert_int_equal(restored, (RECORD_BYTES + CRASH_LINE_BYTES - 1) / CRASH_LINE_BYTES);
}

static void the_lines_do_not_depend_on_how_the_record_is_cut(void **state)
{
    static struct fake_console first;

    (void)state;
    assert_true(send(RECORD_BYTES, RECORD_BYTES));
    first = console;
    for (size_t part = 1; part < 300; part += 7) {
        set_up(NULL);
        assert_true(send(RECORD_BYTES, part));
        assert_int_equal(console.length, first.length);
        assert_memory_equal(console.text, first.text, first.length);
    }
}

static void no_line_holds_a_byte_that_gdb_reacts_to(void **state)
{
    (void)state;
    assert_true(send(RECORD_BYTES, 500));
    for (size_t i = 0; i < console.length; i++) {
        assert_null(memchr("$#%{}*+-\x03", console.text[i], 9));
        assert_true(console.text[i] == '\r' || console.text[i] == '\n' ||
                    (console.text[i] >= ' ' && console.text[i] <= '~'));
    }
}

static void full_lines_are_out_before_the_commit(void **state)
{
    (void)state;
    assert_true(sink.write(sink.ctx, record, 3 * CRASH_LINE_BYTES + 1));
    parse();
    assert_int_equal(parsed_count, 1 + 3);
    assert_int_equal(parsed[3].offset, 2 * CRASH_LINE_BYTES);
}

static void a_dead_console_ends_it_at_any_line(void **state)
{
    unsigned all;

    (void)state;
    assert_true(send(RECORD_BYTES, 100));
    all = console.lines;
    for (unsigned limit = 0; limit < all; limit++) {
        set_up(NULL);
        console.limit = limit;
        assert_false(send(RECORD_BYTES, 100));
        assert_false(sink.write(sink.ctx, record, 1));
        assert_false(sink.commit(sink.ctx));
        assert_int_equal(console.lines, limit + 1);
        assert_int_equal(console.lines_after_death, 0);
    }
}

static void a_record_that_offsets_cannot_name_is_refused(void **state)
{
    static uint8_t zeros[1 << 20];

    (void)state;
    assert_false(sink.write(sink.ctx, zeros, SIZE_MAX));
    assert_false(sink.write(sink.ctx, zeros, (size_t)CRASH_LINES_RECORD + 1));
    lines.length = CRASH_LINES_RECORD - 10;
    assert_false(sink.write(sink.ctx, zeros, 11));
    assert_int_equal(console.lines, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_record_goes_out_whole_and_once, set_up),
        cmocka_unit_test_setup(a_record_of_any_length_goes_out, set_up),
        cmocka_unit_test_setup(every_line_follows_from_its_group, set_up),
        cmocka_unit_test_setup(the_lines_do_not_depend_on_how_the_record_is_cut, set_up),
        cmocka_unit_test_setup(no_line_holds_a_byte_that_gdb_reacts_to, set_up),
        cmocka_unit_test_setup(full_lines_are_out_before_the_commit, set_up),
        cmocka_unit_test_setup(a_dead_console_ends_it_at_any_line, set_up),
        cmocka_unit_test_setup(a_record_that_offsets_cannot_name_is_refused, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
