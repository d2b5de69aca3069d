/*
 * test_crashdump_compress.c - what compression makes of payloads: never longer, never wrong.
 *
 * The decoder here follows the specification of LZ4's blocks and shares nothing with the packer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_sink.h"

enum { RUNS = 3000 };

static struct crash_compressor compressor;
static uint8_t payload[CRASH_PAYLOAD_BYTES], unpacked[CRASH_PAYLOAD_BYTES];

static size_t take_length(const uint8_t **at, size_t nibble)
{
    size_t length = nibble;

    if (nibble == 15)
        do
            length += **at;
        while (*(*at)++ == 255);
    return length;
}

/* Returns the number of bytes; checks all that a block must keep to. */
static size_t unpack(const uint8_t *at, size_t packed)
{
    const uint8_t *end = at + packed;
    size_t length = 0, last_match = 0;

    for (;;) {
        uint8_t token = *at++;
        size_t literals = take_length(&at, token >> 4), distance, match;

        assert_true(literals <= (size_t)(end - at) && literals <= sizeof unpacked - length);
        memcpy(unpacked + length, at, literals);
        at += literals;
        length += literals;
        if (at == end) {
            assert_true(length - last_match >= 5); /* the last bytes are literals */
            return length;
        }
        distance = at[0] | (size_t)at[1] << 8;
        at += 2;
        match = take_length(&at, token & 15) + 4;
        assert_true(distance > 0 && distance <= length && match <= sizeof unpacked - length);
        for (size_t i = 0; i < match; i++, length++)
            unpacked[length] = unpacked[length - distance];
        last_match = length;
    }
}

static void check(size_t len)
{
    size_t packed = crash_compress(&compressor, payload, len);

    if (packed == 0)
        return;
    assert_true(packed < len);
    assert_int_equal(unpack(compressor.packed, packed), len);
    assert_memory_equal(unpacked, payload, len);
}

static void zeros_become_next_to_nothing(void **state)
{
    (void)state;
    memset(payload, 0, sizeof payload);
    assert_in_range(crash_compress(&compressor, payload, sizeof payload), 1, 120);
    for (size_t len = 0; len < 600; len++)
        check(len);
}

static void noise_is_left_as_it_is(void **state)
{
    (void)state;
    srand(3);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(rand() >> 8);
    assert_int_equal(crash_compress(&compressor, payload, sizeof payload), 0);
}

static void what_is_compressed_comes_back(void **state)
{
    (void)state;
    srand(4);
    for (int run = 0; run < RUNS; run++) {
        size_t len = (size_t)rand() % (run % 10 == 0 ? sizeof payload : 800);
        int letters = 1 + rand() % (run % 3 == 0 ? 256 : 4);

        for (size_t i = 0; i < len; i++)
            payload[i] =
                (uint8_t)(rand() % 5 == 0 || i < 40 ? rand() % letters
                                                    : payload[i - 1 - (size_t)rand() % 40]);
        check(len);
    }
}

static void too_much_is_not_compressed(void **state)
{
    (void)state;
    assert_int_equal(crash_compress(&compressor, payload, CRASH_PAYLOAD_BYTES + 1), 0);
    assert_int_equal(crash_compress(&compressor, payload, SIZE_MAX), 0);
}

/* ---- Written with a record ---- */

/* The header of the one section of a record whose payload is `len` bytes. */
static struct crash_section_header write_section(size_t len, struct fake_sink *fake)
{
    static struct crash_writer writer;
    struct crash_header header = {.sequence = 1};
    struct crash_section_header section;
    struct crash_sink sink;

    fake_sink_init(fake, &sink);
    crash_begin(&writer, &sink, NULL, &header);
    crash_use_compressor(&writer, &compressor);
    crash_section(&writer, CRASH_TAG('X', 'A', 'B', 'C'), 0, payload, len);
    assert_true(crash_end(&writer, 0));
    memcpy(&section, fake->bytes + sizeof header, sizeof section);
    return section;
}

static void a_payload_is_stored_compressed_if_that_makes_it_shorter(void **state)
{
    static struct fake_sink fake;

    (void)state;
    memset(payload, 'a', sizeof payload);
    struct crash_section_header section = write_section(CRASH_COMPRESS_LEAST, &fake);
    assert_int_equal(section.flags, CRASH_SECTION_COMPRESSED);
    assert_int_equal(section.raw_length, CRASH_COMPRESS_LEAST);
    assert_true(section.stored_length < CRASH_COMPRESS_LEAST);
    const uint8_t *stored = fake.bytes + sizeof(struct crash_header) + sizeof section;
    assert_int_equal(unpack(stored, section.stored_length), CRASH_COMPRESS_LEAST);
    assert_memory_equal(unpacked, payload, CRASH_COMPRESS_LEAST);
}

static void a_short_payload_or_noise_is_stored_as_it_is(void **state)
{
    static struct fake_sink fake;
    struct crash_section_header section;

    (void)state;
    memset(payload, 'a', sizeof payload);
    section = write_section(CRASH_COMPRESS_LEAST - 1, &fake);
    assert_int_equal(section.flags, 0);
    assert_int_equal(section.stored_length, CRASH_COMPRESS_LEAST - 1);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)rand();
    section = write_section(CRASH_COMPRESS_LEAST, &fake);
    assert_int_equal(section.flags, 0);
    assert_int_equal(section.stored_length, CRASH_COMPRESS_LEAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_become_next_to_nothing),
        cmocka_unit_test(noise_is_left_as_it_is),
        cmocka_unit_test(what_is_compressed_comes_back),
        cmocka_unit_test(too_much_is_not_compressed),
        cmocka_unit_test(a_payload_is_stored_compressed_if_that_makes_it_shorter),
        cmocka_unit_test(a_short_payload_or_noise_is_stored_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
