/*
 * test_elf.c - programs are read as they are linked, and whatever else the bytes are is refused or
 * harmless.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/elf.c"

enum {
    FILE_BYTES = 5 * 4096,
    TEXT_AT = 0x400000,
    DATA_AT = 0x402000,
};

static const struct elf_range range = {0x10000, 0x7ffffffff000};

/* A file in memory: its headers, and segments that a case may spoil. */
struct image {
    struct elf_header header;
    struct elf_program_header segments[ELF_SEGMENTS + 1];
    uint8_t rest[FILE_BYTES];
};

static struct image good(void)
{
    return (struct image){
        .header = {.magic = {0x7f, 'E', 'L', 'F'},
                   .class = ELF_CLASS_64,
                   .data = ELF_LITTLE_ENDIAN,
                   .type = ELF_EXECUTABLE,
                   .machine = ARCH_ELF_MACHINE,
                   .entry = TEXT_AT + 16,
                   .program_headers = sizeof(struct elf_header),
                   .program_header_bytes = sizeof(struct elf_program_header),
                   .program_header_count = 2},
        .segments = {{.type = ELF_LOAD,
                      .flags = ELF_R | ELF_X,
                      .offset = 4096,
                      .address = TEXT_AT,
                      .file_bytes = 5000,
                      .memory_bytes = 5000},
                     {.type = ELF_LOAD,
                      .flags = ELF_R | ELF_W,
                      .offset = 3 * 4096,
                      .address = DATA_AT,
                      .file_bytes = 100,
                      .memory_bytes = 9000}},
    };
}

static const char *parse(const struct image *image, struct elf_program *program)
{
    return elf_read(image, FILE_BYTES, range, program);
}

static void assert_refused(const struct image *image, const char *words)
{
    struct elf_program program;
    const char *wrong = parse(image, &program);

    if (wrong == NULL || strstr(wrong, words) == NULL)
        fail_msg("expected \"%s\", not \"%s\"", words, wrong == NULL ? "(accepted)" : wrong);
}

static void segments_are_whole_pages_with_what_the_file_has(void **state)
{
    struct image image = good();
    struct elf_program program;

    (void)state;
    assert_null(parse(&image, &program));
    assert_int_equal(program.entry, TEXT_AT + 16);
    assert_int_equal(program.segment_count, 2);
    assert_int_equal(program.segments[0].start, TEXT_AT);
    assert_int_equal(program.segments[0].end, TEXT_AT + 2 * 4096);
    assert_int_equal(program.segments[0].permissions, CRASH_MAP_READ | CRASH_MAP_EXECUTE);
    assert_int_equal(program.segments[1].end, DATA_AT + 3 * 4096);
    assert_int_equal(program.segments[1].offset, 3 * 4096);
    assert_int_equal(program.segments[1].file_bytes, 100);
    assert_int_equal(program.segments[1].permissions, CRASH_MAP_READ | CRASH_MAP_WRITE);
}

/* One thing wrong, and the word that names it. */
#define WRONG(function, change, words)                                                             \
    static void function(void **state)                                                             \
    {                                                                                              \
        struct image image = good();                                                               \
                                                                                                   \
        (void)state;                                                                               \
        image.change;                                                                              \
        assert_refused(&image, words);                                                             \
    }

WRONG(another_magic_is_refused, header.magic[0] = 0, "no ELF")
WRONG(another_class_is_refused, header.class = 1, "another machine")
WRONG(another_machine_is_refused, header.machine = 3, "another machine")
WRONG(a_relocatable_is_refused, header.type = 1, "not linked")
WRONG(a_position_independent_one_is_refused, header.type = 3, "not linked")
WRONG(headers_outside_of_the_file_are_refused, header.program_headers = FILE_BYTES - 8, "damaged")
WRONG(headers_that_wrap_are_refused, header.program_headers = UINT64_MAX - 7, "damaged")
WRONG(headers_that_are_misaligned_are_refused, header.program_headers = 65, "damaged")
WRONG(headers_of_another_size_are_refused, header.program_header_bytes = 55, "damaged")
WRONG(a_segment_behind_the_file_is_refused, segments[0].offset = FILE_BYTES, "not in the file")
WRONG(a_segment_longer_than_the_file_is_refused,
      segments[1].memory_bytes = image.segments[1].file_bytes = FILE_BYTES, "not in the file")
WRONG(an_offset_that_wraps_is_refused, segments[0].offset = UINT64_MAX - 4095, "not in the file")
WRONG(more_of_a_file_than_of_memory_is_refused, segments[0].memory_bytes = 4999, "not in the file")
WRONG(page_zero_is_refused, segments[0].address = 0, "outside")
WRONG(a_kernel_address_is_refused, segments[1].address = 0xffffffff80000000, "outside")
WRONG(memory_into_the_kernel_is_refused, segments[1].memory_bytes = 0x7ffffffff000, "outside")
WRONG(memory_that_wraps_is_refused, segments[1].memory_bytes = UINT64_MAX, "outside")
WRONG(an_address_within_a_page_is_refused, segments[1].address = DATA_AT + 8, "begin with a page")
WRONG(an_offset_within_a_page_is_refused, segments[1].offset = 3 * 4096 + 8, "begin with a page")
WRONG(writable_code_is_refused, segments[0].flags = ELF_R | ELF_W | ELF_X, "both")
WRONG(overlapping_segments_are_refused, segments[1].address = TEXT_AT + 4096, "overlap")
WRONG(unsorted_segments_are_refused, segments[1].address = TEXT_AT - 0x10000, "overlap")
WRONG(an_entry_in_data_is_refused, header.entry = DATA_AT, "in data")
WRONG(an_entry_nowhere_is_refused, header.entry = DATA_AT + 3 * 4096, "outside of its segments")
WRONG(no_segments_are_refused, header.program_header_count = 0, "outside of its segments")
WRONG(a_dynamic_one_is_refused, segments[1].type = ELF_DYNAMIC, "dynamic linker")
WRONG(one_with_an_interpreter_is_refused, segments[1].type = ELF_INTERPRETER, "dynamic linker")

static void too_many_segments_are_refused(void **state)
{
    struct image image = good();

    (void)state;
    image.header.program_header_count = ELF_SEGMENTS + 1;
    for (unsigned i = 0; i <= ELF_SEGMENTS; i++) {
        image.segments[i] = image.segments[0];
        image.segments[i].address = TEXT_AT + i * 0x10000ul;
    }
    assert_refused(&image, "too many");
}

static void every_shorter_file_is_refused_or_holds_its_segments(void **state)
{
    struct image image = good();

    (void)state;
    for (size_t size = 0; size < FILE_BYTES; size++) {
        uint8_t *cut = malloc(size + 1); /* the sanitizer watches its end */
        struct elf_program program;

        memcpy(cut, &image, size);
        if (elf_read(cut, size, range, &program) == NULL)
            assert_true(size >= 3 * 4096 + 100);
        free(cut);
    }
}

/* What elf.h promises of a program that is accepted. */
static void assert_sound(const struct elf_program *program)
{
    uint64_t end = range.start;

    assert_in_range(program->segment_count, 1, ELF_SEGMENTS);
    for (size_t i = 0; i < program->segment_count; i++) {
        const struct elf_segment *segment = &program->segments[i];

        assert_true(end <= segment->start && segment->start < segment->end);
        assert_true(segment->end <= range.end);
        assert_true(segment->offset <= FILE_BYTES);
        assert_true(segment->file_bytes <= FILE_BYTES - segment->offset);
        assert_true(segment->file_bytes <= segment->end - segment->start);
        end = segment->end;
    }
}

static void any_damage_to_the_headers_is_refused_or_harmless(void **state)
{
    static const uint8_t values[] = {0, 1, 7, 8, 0x7f, 0x80, 0xff};
    size_t headers = sizeof(struct elf_header) + 2 * sizeof(struct elf_program_header);
    unsigned accepted = 0;

    (void)state;
    srand(1);
    for (unsigned i = 0; i < 200000; i++) {
        struct image image = good();
        struct elf_program program;

        for (int damages = 1 + rand() % 3; damages > 0; damages--)
            ((uint8_t *)&image)[(size_t)rand() % headers] = values[(size_t)rand() % sizeof values];
        if (parse(&image, &program) != NULL)
            continue;
        assert_sound(&program);
        accepted++;
    }
    assert_true(accepted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_whole_pages_with_what_the_file_has),
        cmocka_unit_test(another_magic_is_refused),
        cmocka_unit_test(another_class_is_refused),
        cmocka_unit_test(another_machine_is_refused),
        cmocka_unit_test(a_relocatable_is_refused),
        cmocka_unit_test(a_position_independent_one_is_refused),
        cmocka_unit_test(headers_outside_of_the_file_are_refused),
        cmocka_unit_test(headers_that_wrap_are_refused),
        cmocka_unit_test(headers_that_are_misaligned_are_refused),
        cmocka_unit_test(headers_of_another_size_are_refused),
        cmocka_unit_test(a_segment_behind_the_file_is_refused),
        cmocka_unit_test(a_segment_longer_than_the_file_is_refused),
        cmocka_unit_test(an_offset_that_wraps_is_refused),
        cmocka_unit_test(more_of_a_file_than_of_memory_is_refused),
        cmocka_unit_test(page_zero_is_refused),
        cmocka_unit_test(a_kernel_address_is_refused),
        cmocka_unit_test(memory_into_the_kernel_is_refused),
        cmocka_unit_test(memory_that_wraps_is_refused),
        cmocka_unit_test(an_address_within_a_page_is_refused),
        cmocka_unit_test(an_offset_within_a_page_is_refused),
        cmocka_unit_test(writable_code_is_refused),
        cmocka_unit_test(overlapping_segments_are_refused),
        cmocka_unit_test(unsorted_segments_are_refused),
        cmocka_unit_test(an_entry_in_data_is_refused),
        cmocka_unit_test(an_entry_nowhere_is_refused),
        cmocka_unit_test(no_segments_are_refused),
        cmocka_unit_test(a_dynamic_one_is_refused),
        cmocka_unit_test(one_with_an_interpreter_is_refused),
        cmocka_unit_test(too_many_segments_are_refused),
        cmocka_unit_test(every_shorter_file_is_refused_or_holds_its_segments),
        cmocka_unit_test(any_damage_to_the_headers_is_refused_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
