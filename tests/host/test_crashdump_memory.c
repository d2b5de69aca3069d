/*
 * test_crashdump_memory.c - ranges of memory as units: borders, zeros, holes, nonsense, no room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_sink.h"

enum {
    MEMORY_BYTES = 64 * 1024,
    UNIT = CRASH_UNIT_BYTES,
    HEAD = sizeof(struct crash_unit),
    MOST_UNITS = CRASH_PAYLOAD_BYTES / HEAD,
};

static const uint64_t start = 0xffff800000010000;

static struct crash_writer writer;
static struct crash_sink sink;
static struct crash_source source;
static struct fake_sink fake;
static struct fake_memory memory;
static uint8_t bytes[MEMORY_BYTES];

/* What the section holds, taken apart by read_back(). */
static struct crash_unit units[MOST_UNITS];
static size_t unit_count;

static int set_up(void **state)
{
    struct crash_header header = {.machine = 62};

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 251 + 1);
    fake_sink_init(&fake, &sink);
    memory = (struct fake_memory){.bytes = bytes, .start = start, .length = sizeof bytes};
    fake_memory_init(&memory, &source);
    crash_begin(&writer, &sink, &source, &header);
    crash_section_begin(&writer, CRASH_TAG('S', 'T', 'A', 'K'), start);
    return 0;
}

static bool is_known_zero(uint64_t addr)
{
    return bytes[addr - start] == 0;
}

/* Take the open section apart; check each unit against memory, and that it follows the last. */
static void read_back(uint64_t from)
{
    size_t offset = 0;

    for (unit_count = 0; offset < writer.payload_length; unit_count++) {
        struct crash_unit *unit = &units[unit_count];

        assert_true(offset + HEAD <= writer.payload_length);
        memcpy(unit, writer.payload + offset, HEAD);
        offset += HEAD;
        assert_int_equal(unit->address, from);
        assert_true(unit->length > 0);
        from += unit->length;
        for (uint64_t addr = unit->address; unit->flags == CRASH_UNIT_ZERO && addr < from; addr++)
            assert_true(is_known_zero(addr));
        if (unit->flags != 0)
            continue;
        assert_true(offset + unit->length <= writer.payload_length);
        assert_memory_equal(writer.payload + offset, bytes + (unit->address - start), unit->length);
        offset += (unit->length + 7u) / 8 * 8;
    }
    assert_int_equal(offset, writer.payload_length);
}

static void expect_unit(size_t index, uint64_t addr, uint32_t len, uint32_t flags)
{
    assert_true(index < unit_count);
    assert_int_equal(units[index].address, addr);
    assert_int_equal(units[index].length, len);
    assert_int_equal(units[index].flags, flags);
}

static void units_end_at_borders(void **state)
{
    (void)state;
    assert_true(crash_append_memory(&writer, start + 100, UNIT));
    read_back(start + 100);
    assert_int_equal(unit_count, 2);
    expect_unit(0, start + 100, UNIT - 100, 0);
    expect_unit(1, start + UNIT, 100, 0);
}

static void nothing_is_no_unit(void **state)
{
    (void)state;
    assert_true(crash_append_memory(&writer, start, 0));
    assert_int_equal(writer.payload_length, 0);
    assert_int_equal(writer.section.flags, 0);
}

static void neighbouring_zero_units_become_one_without_bytes(void **state)
{
    (void)state;
    memset(bytes + UNIT, 0, 3 * UNIT);
    assert_true(crash_append_memory(&writer, start, 5 * UNIT));
    read_back(start);
    assert_int_equal(unit_count, 3);
    expect_unit(1, start + UNIT, 3 * UNIT, CRASH_UNIT_ZERO);
    assert_int_equal(writer.payload_length, 3 * HEAD + 2 * UNIT);
}

static void a_unit_with_one_byte_set_is_not_zero(void **state)
{
    (void)state;
    memset(bytes, 0, UNIT);
    bytes[UNIT - 1] = 1;
    assert_true(crash_append_memory(&writer, start, UNIT));
    read_back(start);
    expect_unit(0, start, UNIT, 0);
}

static void neighbouring_unreadable_units_become_one_hole(void **state)
{
    (void)state;
    memory.hole = start + UNIT;
    memory.hole_length = 4 * UNIT;
    assert_false(crash_append_memory(&writer, start, 6 * UNIT));
    read_back(start);
    assert_int_equal(unit_count, 3);
    expect_unit(1, start + UNIT, 4 * UNIT, CRASH_UNIT_HOLE);
    expect_unit(2, start + 5 * UNIT, UNIT, 0);
    assert_int_equal(writer.section.flags, 0);
}

static void a_unit_keeps_what_lies_before_its_hole(void **state)
{
    (void)state;
    memory.hole = start + 100;
    memory.hole_length = 10;
    assert_false(crash_append_memory(&writer, start, 2 * UNIT));
    read_back(start);
    expect_unit(0, start, 100, 0);
    expect_unit(1, start + 100, UNIT - 100, CRASH_UNIT_HOLE);
    expect_unit(2, start + UNIT, UNIT, 0);
}

static void holes_and_zeros_do_not_merge(void **state)
{
    (void)state;
    memset(bytes, 0, 2 * UNIT);
    memory.hole = start + UNIT;
    memory.hole_length = UNIT;
    assert_false(crash_append_memory(&writer, start, 2 * UNIT));
    read_back(start);
    expect_unit(0, start, UNIT, CRASH_UNIT_ZERO);
    expect_unit(1, start + UNIT, UNIT, CRASH_UNIT_HOLE);
}

static void without_a_source_everything_is_a_hole(void **state)
{
    (void)state;
    writer.source = NULL;
    assert_false(crash_append_memory(&writer, start, 2 * UNIT));
    read_back(start);
    assert_int_equal(unit_count, 1);
    expect_unit(0, start, 2 * UNIT, CRASH_UNIT_HOLE);
}

static size_t boast(void *ctx, uint64_t addr, void *buf, size_t len)
{
    (void)ctx;
    memcpy(buf, bytes + (addr - start), len);
    return len + 1000;
}

static void a_source_that_boasts_is_not_believed(void **state)
{
    (void)state;
    source.read_memory = boast;
    assert_true(crash_append_memory(&writer, start, 2 * UNIT));
    read_back(start);
    assert_int_equal(unit_count, 2);
}

static void the_end_of_the_address_space_ends_the_range(void **state)
{
    (void)state;
    assert_false(crash_append_memory(&writer, UINT64_MAX - 99, 4096));
    read_back(UINT64_MAX - 99);
    assert_int_equal(unit_count, 1);
    expect_unit(0, UINT64_MAX - 99, 100, CRASH_UNIT_HOLE);
    assert_int_equal(writer.section.flags, CRASH_SECTION_TRUNCATED);
}

static void an_absurd_length_is_cut_off(void **state)
{
    (void)state;
    assert_false(crash_append_memory(&writer, 0, UINT64_MAX));
    read_back(0);
    assert_int_equal(unit_count, 1);
    expect_unit(0, 0, CRASH_MEMORY_BYTES, CRASH_UNIT_HOLE);
    assert_int_equal(writer.section.flags, CRASH_SECTION_TRUNCATED);
}

/* From every fill that leaves little room: never past the end, and no broken unit. */
static void a_full_section_is_cut_off_between_units(void **state)
{
    static const uint8_t filler[CRASH_PAYLOAD_BYTES];

    (void)state;
    for (size_t room = 0; room < 3 * UNIT; room++) {
        size_t fill = CRASH_PAYLOAD_BYTES - room;

        set_up(NULL);
        memory.hole = start + 40;
        memory.hole_length = 1;
        crash_append(&writer, filler, fill);
        assert_false(crash_append_memory(&writer, start, 4 * UNIT));
        assert_true(writer.payload_length <= CRASH_PAYLOAD_BYTES);
        assert_int_equal(writer.section.flags, CRASH_SECTION_TRUNCATED);
        memmove(writer.payload, writer.payload + fill, writer.payload_length - fill);
        writer.payload_length -= fill;
        read_back(start);
    }
}

static void any_range_of_any_memory_reads_back(void **state)
{
    uint32_t random = 12345;

    (void)state;
    for (unsigned round = 0; round < 500; round++) {
        uint32_t r[6];

        for (size_t i = 0; i < 6; i++)
            r[i] = (random = random * 1664525 + 1013904223) >> 8;
        set_up(NULL);
        memset(bytes + r[0] % 8192, 0, r[1] % 8192);
        memory.hole = start + r[2] % 12288;
        memory.hole_length = r[3] % 4096;
        crash_append_memory(&writer, start + r[4] % 1024, 1 + r[5] % 16384);
        read_back(start + r[4] % 1024);
        assert_int_equal(units[unit_count - 1].address + units[unit_count - 1].length,
                         start + r[4] % 1024 + 1 + r[5] % 16384);
    }
}

static const uint64_t secret = start + 700, secret_end = start + 1900;

static size_t classify(void *ctx, uint64_t addr, size_t len, bool *is_secret)
{
    uint64_t next = addr + len;

    (void)ctx;
    *is_secret = secret <= addr && addr < secret_end;
    if (addr < secret && secret < next)
        next = secret;
    if (addr < secret_end && secret_end < next)
        next = secret_end;
    return (size_t)(next - addr);
}

static size_t classify_badly(void *ctx, uint64_t addr, size_t len, bool *is_secret)
{
    (void)ctx;
    (void)is_secret;
    return addr % 2 == 0 ? SIZE_MAX : len * 0;
}

static void secret_memory_is_a_hole_of_its_own_and_never_read(void **state)
{
    (void)state;
    source.classify = classify;
    assert_false(crash_append_memory(&writer, start, 4 * UNIT));
    read_back(start);
    assert_int_equal(unit_count, 4);
    expect_unit(0, start, UNIT, 0);
    expect_unit(1, start + UNIT, 700 - UNIT, 0);
    expect_unit(2, secret, 1200, CRASH_UNIT_HOLE | CRASH_UNIT_SECRET);
    expect_unit(3, secret_end, 4 * UNIT - 1900, 0);
}

static void a_classifier_that_boasts_or_sleeps_is_not_believed(void **state)
{
    (void)state;
    source.classify = classify_badly;
    assert_true(crash_append_memory(&writer, start, 4 * UNIT));
    read_back(start);
    assert_int_equal(unit_count, 4);
}

/* The sections in the sink from `offset` on with the tag. */
static size_t count_sections(size_t offset, uint32_t tag)
{
    struct crash_section_header section;
    size_t count = 0;

    for (; offset < fake.length; offset += sizeof section + (section.stored_length + 7u) / 8 * 8) {
        memcpy(&section, fake.bytes + offset, sizeof section);
        if (section.tag != tag)
            continue;
        assert_int_equal(section.index, count);
        assert_int_equal(section.flags, 0);
        count++;
    }
    return count;
}

static void memory_of_any_size_goes_into_as_many_sections_as_it_takes(void **state)
{
    enum { TAG_MEMR = CRASH_TAG('M', 'E', 'M', 'R') };
    size_t first = CRASH_PAYLOAD_BYTES / (UNIT + HEAD);

    (void)state;
    crash_section_end(&writer, false);
    crash_section_begin(&writer, TAG_MEMR, 0);
    crash_memory(&writer, TAG_MEMR, start, sizeof bytes);
    crash_memory(&writer, TAG_MEMR, start, UNIT); /* another range: a section of its own */
    assert_int_equal(writer.section.address, start);
    crash_section_end(&writer, false);
    assert_int_equal(count_sections(128, TAG_MEMR), sizeof bytes / UNIT / (first - 1) + 2);
}

static void memory_at_the_end_of_the_address_space_ends_there(void **state)
{
    (void)state;
    crash_memory(&writer, CRASH_TAG('M', 'E', 'M', 'R'), UINT64_MAX - 99, UINT64_MAX);
    assert_true(writer.open);
    assert_int_equal(writer.payload_length, HEAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(units_end_at_borders, set_up),
        cmocka_unit_test_setup(nothing_is_no_unit, set_up),
        cmocka_unit_test_setup(neighbouring_zero_units_become_one_without_bytes, set_up),
        cmocka_unit_test_setup(a_unit_with_one_byte_set_is_not_zero, set_up),
        cmocka_unit_test_setup(neighbouring_unreadable_units_become_one_hole, set_up),
        cmocka_unit_test_setup(a_unit_keeps_what_lies_before_its_hole, set_up),
        cmocka_unit_test_setup(holes_and_zeros_do_not_merge, set_up),
        cmocka_unit_test_setup(without_a_source_everything_is_a_hole, set_up),
        cmocka_unit_test_setup(a_source_that_boasts_is_not_believed, set_up),
        cmocka_unit_test_setup(the_end_of_the_address_space_ends_the_range, set_up),
        cmocka_unit_test_setup(an_absurd_length_is_cut_off, set_up),
        cmocka_unit_test_setup(a_full_section_is_cut_off_between_units, set_up),
        cmocka_unit_test_setup(any_range_of_any_memory_reads_back, set_up),
        cmocka_unit_test_setup(secret_memory_is_a_hole_of_its_own_and_never_read, set_up),
        cmocka_unit_test_setup(a_classifier_that_boasts_or_sleeps_is_not_believed, set_up),
        cmocka_unit_test_setup(memory_of_any_size_goes_into_as_many_sections_as_it_takes, set_up),
        cmocka_unit_test_setup(memory_at_the_end_of_the_address_space_ends_there, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
