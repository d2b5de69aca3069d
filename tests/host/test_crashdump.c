/*
 * test_crashdump.c - the crash writer: sections, checksums, the end, and a sink that refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_sink.h"

enum {
    TAG_CAUS = CRASH_TAG('C', 'A', 'U', 'S'),
    TAG_STAK = CRASH_TAG('S', 'T', 'A', 'K'),
    TAG_ENDS = CRASH_TAG('E', 'N', 'D', 'S'),
    TAG_OWN = CRASH_TAG('X', 'Y', 'Z', '1'),
};

static struct crash_writer writer;
static struct crash_sink sink;
static struct crash_source source;
static struct crash_header header;
static struct fake_sink fake;
static struct fake_memory memory;
static uint8_t stack[4096];
static jmp_buf fault;

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = (uint8_t)(i + 1);
    fake_sink_init(&fake, &sink);
    memory = (struct fake_memory){.bytes = stack, .start = 0x10000, .length = sizeof stack};
    fake_memory_init(&memory, &source);
    header = (struct crash_header){.machine = 62, .cpu_count = 2, .sequence = 3};
    memset(header.boot_id, 0xb0, sizeof header.boot_id);
    return 0;
}

static void begin(void)
{
    crash_begin(&writer, &sink, &source, &header);
}

/* The section that begins at `offset`; checks its checksum and that its padding is zero. */
static const struct crash_section_header *section_at(size_t offset)
{
    const struct crash_section_header *section = (const void *)(fake.bytes + offset);
    const uint8_t *payload = fake.bytes + offset + sizeof *section;
    struct crash_section_header blank = *section;
    uint32_t crc;

    assert_true(offset + sizeof *section + section->stored_length <= fake.length);
    blank.crc = 0;
    crc = crash_crc32c(crash_crc32c(0, &blank, sizeof blank), payload, section->stored_length);
    assert_int_equal(section->crc, crc);
    for (size_t i = section->stored_length; i % 8 != 0; i++)
        assert_int_equal(payload[i], 0);
    return section;
}

static size_t after(size_t offset)
{
    return offset + sizeof(struct crash_section_header) +
           (section_at(offset)->stored_length + 7u) / 8 * 8;
}

static const void *payload_at(size_t offset)
{
    return fake.bytes + offset + sizeof(struct crash_section_header);
}

static void crc32c_gives_the_published_values(void **state)
{
    uint8_t zeros[32] = {0}, ones[32];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(crash_crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crash_crc32c(0, zeros, sizeof zeros), 0x8A9136AA);
    assert_int_equal(crash_crc32c(0, ones, sizeof ones), 0x62A8AB43);
    assert_int_equal(crash_crc32c(0, NULL, 0), 0);
}

static void crc32c_continues_at_any_split(void **state)
{
    (void)state;
    for (size_t i = 0; i <= 9; i++)
        assert_int_equal(crash_crc32c(crash_crc32c(0, "123456789", i), &"123456789"[i], 9 - i),
                         0xE3069283);
}

static void the_header_is_completed_and_sealed(void **state)
{
    const struct crash_header *written = (const void *)fake.bytes;

    (void)state;
    memset(header.reserved, 0x55, sizeof header.reserved);
    begin();
    assert_int_equal(fake.length, sizeof *written);
    assert_memory_equal(written->magic, "TRAP\xF1\r\n\x1A", 8);
    assert_int_equal(written->major, CRASH_FORMAT_MAJOR);
    assert_int_equal(written->header_length, 128);
    assert_int_equal(written->machine, 62);
    assert_int_equal(written->sequence, 3);
    assert_int_equal(written->record_id, crash_record_id(&header));
    assert_int_equal(written->reserved[47], 0);
    assert_int_equal(written->crc, crash_crc32c(0, written, offsetof(struct crash_header, crc)));
}

static void the_record_id_depends_on_sequence_boot_and_build(void **state)
{
    uint32_t id = crash_record_id(&header);

    (void)state;
    header.sequence++;
    assert_int_not_equal(crash_record_id(&header), id);
    header.sequence--;
    header.boot_id[15] ^= 1;
    assert_int_not_equal(crash_record_id(&header), id);
    header.boot_id[15] ^= 1;
    header.build_id[19] ^= 1;
    assert_int_not_equal(crash_record_id(&header), id);
    header.build_id[19] ^= 1;
    header.flags ^= 1;
    assert_int_equal(crash_record_id(&header), id);
}

static void a_section_has_header_payload_and_padding(void **state)
{
    const struct crash_section_header *section;

    (void)state;
    begin();
    crash_section(&writer, TAG_CAUS, 0x1234, "hello", 5);
    section = section_at(128);
    assert_int_equal(section->tag, TAG_CAUS);
    assert_int_equal(section->version, 1);
    assert_int_equal(section->flags, 0);
    assert_int_equal(section->stored_length, 5);
    assert_int_equal(section->raw_length, 5);
    assert_int_equal(section->address, 0x1234);
    assert_memory_equal(payload_at(128), "hello", 5);
    assert_int_equal(fake.length, 128 + 32 + 8);
}

static void sections_of_one_tag_are_numbered(void **state)
{
    size_t offset = 128;

    (void)state;
    begin();
    crash_section(&writer, TAG_OWN, 0, "a", 1);
    crash_section(&writer, TAG_CAUS, 0, "b", 1);
    crash_section(&writer, TAG_OWN, 0, "c", 1);
    assert_int_equal(section_at(offset)->index, 0);
    offset = after(offset);
    assert_int_equal(section_at(offset)->index, 0);
    offset = after(offset);
    assert_int_equal(section_at(offset)->tag, TAG_OWN);
    assert_int_equal(section_at(offset)->index, 1);
}

static void a_payload_is_cut_off_at_the_limit_and_says_so(void **state)
{
    static uint8_t big[CRASH_PAYLOAD_BYTES + 1];
    size_t second;

    (void)state;
    begin();
    crash_section(&writer, TAG_OWN, 0, big, CRASH_PAYLOAD_BYTES);
    second = after(128);
    crash_section_begin(&writer, TAG_OWN, 0);
    crash_append(&writer, big, 100);
    crash_append(&writer, big, sizeof big);
    crash_append(&writer, big, SIZE_MAX);
    crash_section_end(&writer, false);

    assert_int_equal(section_at(128)->flags, 0);
    assert_int_equal(section_at(second)->flags, CRASH_SECTION_TRUNCATED);
    assert_int_equal(section_at(second)->stored_length, CRASH_PAYLOAD_BYTES);
}

static void a_null_payload_is_an_empty_truncated_section(void **state)
{
    (void)state;
    begin();
    crash_section(&writer, TAG_OWN, 0, NULL, 1000);
    assert_int_equal(section_at(128)->flags, CRASH_SECTION_TRUNCATED);
    assert_int_equal(section_at(128)->stored_length, 0);
}

static void pieces_outside_a_section_are_dropped(void **state)
{
    (void)state;
    begin();
    crash_append(&writer, "lost", 4);
    assert_false(crash_append_memory(&writer, memory.start, 16));
    crash_section_end(&writer, false);
    assert_int_equal(fake.length, 128);
    crash_section(&writer, TAG_OWN, 0, "kept", 4);
    assert_int_equal(section_at(128)->stored_length, 4);
}

static void a_section_left_open_ends_as_faulted(void **state)
{
    size_t second;

    (void)state;
    begin();
    crash_section_begin(&writer, TAG_OWN, 0);
    crash_append(&writer, "half", 4);
    crash_section(&writer, TAG_CAUS, 0, "whole", 5);
    second = after(128);
    assert_int_equal(section_at(128)->flags, CRASH_SECTION_FAULTED);
    assert_memory_equal(payload_at(128), "half", 4);
    assert_int_equal(section_at(second)->flags, 0);
}

static void fault_on_third_read(uint64_t addr)
{
    if (addr >= memory.start + 2 * CRASH_UNIT_BYTES)
        longjmp(fault, 1);
}

static void a_fault_in_the_middle_keeps_what_was_gathered(void **state)
{
    const struct crash_unit *unit = payload_at(128);

    (void)state;
    begin();
    memory.on_read = fault_on_third_read;
    crash_section_begin(&writer, TAG_STAK, memory.start);
    if (setjmp(fault) == 0) {
        crash_append_memory(&writer, memory.start, sizeof stack);
        fail_msg("the source did not fault");
    }
    crash_section_end(&writer, true);
    assert_true(crash_end(&writer, 0));

    assert_int_equal(section_at(128)->flags, CRASH_SECTION_FAULTED);
    assert_int_equal(section_at(128)->stored_length, 2 * (sizeof *unit + CRASH_UNIT_BYTES));
    assert_int_equal(unit->length, CRASH_UNIT_BYTES);
    assert_memory_equal(unit + 1, stack, CRASH_UNIT_BYTES);
    assert_int_equal(((const struct crash_end_section *)payload_at(after(128)))->faulted, 1);
}

static void the_end_counts_and_repeats_the_headers(void **state)
{
    const struct crash_end_section *end;
    const struct crash_section_header *headers;
    size_t second, last;
    uint32_t crc;

    (void)state;
    begin();
    crash_section(&writer, TAG_CAUS, 1, "one", 3);
    crash_section(&writer, TAG_OWN, 2, "two", 3);
    assert_true(crash_end(&writer, 777));
    second = after(128);
    last = after(second);
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.length, after(last));
    assert_int_equal(section_at(last)->tag, TAG_ENDS);

    end = payload_at(last);
    headers = (const void *)(end + 1);
    crc = crash_crc32c(0, &section_at(128)->crc, 4);
    assert_int_equal(end->section_count, 2);
    assert_int_equal(end->header_count, 2);
    assert_int_equal(end->faulted, 0);
    assert_int_equal(end->length, last);
    assert_int_equal(end->time_used_us, 777);
    assert_int_equal(end->sections_crc, crash_crc32c(crc, &section_at(second)->crc, 4));
    assert_memory_equal(&headers[0], section_at(128), sizeof headers[0]);
    assert_memory_equal(&headers[1], section_at(second), sizeof headers[1]);
    assert_int_equal(section_at(last)->stored_length, sizeof *end + 2 * sizeof headers[0]);
}

static void the_end_repeats_as_many_headers_as_it_has_room_for(void **state)
{
    const struct crash_end_section *end;
    size_t offset = 128;

    (void)state;
    begin();
    for (unsigned i = 0; i < CRASH_DIRECTORY_SECTIONS + 5; i++)
        crash_section(&writer, TAG_OWN, i, &i, sizeof i);
    assert_true(crash_end(&writer, 0));
    while (section_at(offset)->tag != TAG_ENDS)
        offset = after(offset);
    end = payload_at(offset);
    assert_int_equal(end->section_count, CRASH_DIRECTORY_SECTIONS + 5);
    assert_int_equal(end->header_count, CRASH_DIRECTORY_SECTIONS);
}

static bool write_record(void)
{
    begin();
    crash_section(&writer, TAG_CAUS, 0, "hello", 5);
    crash_section_begin(&writer, TAG_STAK, memory.start);
    crash_append_memory(&writer, memory.start, 600);
    crash_section_end(&writer, false);
    return crash_end(&writer, 1);
}

static void a_sink_that_refuses_at_any_byte_is_never_committed(void **state)
{
    static uint8_t whole[FAKE_SINK_BYTES];
    size_t length;

    (void)state;
    assert_true(write_record());
    length = fake.length;
    memcpy(whole, fake.bytes, length);
    for (size_t limit = 0; limit < length; limit++) {
        fake_sink_init(&fake, &sink);
        fake.limit = limit;
        assert_false(write_record());
        assert_int_equal(fake.commits, 0);
        assert_int_equal(fake.writes_after_refusal, 0);
        assert_true(fake.length <= limit);
        assert_memory_equal(fake.bytes, whole, fake.length);
    }
    fake_sink_init(&fake, &sink);
    fake.limit = length;
    assert_true(write_record());
    assert_int_equal(fake.commits, 1);
}

static void a_commit_that_fails_is_reported(void **state)
{
    (void)state;
    fake.commit_fails = true;
    assert_false(write_record());
    assert_int_equal(fake.commits, 1);
}

static void a_sink_need_not_have_a_commit(void **state)
{
    (void)state;
    sink.commit = NULL;
    assert_true(write_record());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(crc32c_gives_the_published_values, set_up),
        cmocka_unit_test_setup(crc32c_continues_at_any_split, set_up),
        cmocka_unit_test_setup(the_header_is_completed_and_sealed, set_up),
        cmocka_unit_test_setup(the_record_id_depends_on_sequence_boot_and_build, set_up),
        cmocka_unit_test_setup(a_section_has_header_payload_and_padding, set_up),
        cmocka_unit_test_setup(sections_of_one_tag_are_numbered, set_up),
        cmocka_unit_test_setup(a_payload_is_cut_off_at_the_limit_and_says_so, set_up),
        cmocka_unit_test_setup(a_null_payload_is_an_empty_truncated_section, set_up),
        cmocka_unit_test_setup(pieces_outside_a_section_are_dropped, set_up),
        cmocka_unit_test_setup(a_section_left_open_ends_as_faulted, set_up),
        cmocka_unit_test_setup(a_fault_in_the_middle_keeps_what_was_gathered, set_up),
        cmocka_unit_test_setup(the_end_counts_and_repeats_the_headers, set_up),
        cmocka_unit_test_setup(the_end_repeats_as_many_headers_as_it_has_room_for, set_up),
        cmocka_unit_test_setup(a_sink_that_refuses_at_any_byte_is_never_committed, set_up),
        cmocka_unit_test_setup(a_commit_that_fails_is_reported, set_up),
        cmocka_unit_test_setup(a_sink_need_not_have_a_commit, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
