/*
 * test_space.c - what is behind a page when it is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/region.c"
#include "kernel/space.c"
#include "space_memory.h"

#define PROGRAM_AT 0x400000ul

/* ---- What the cases begin with ---- */

static struct space space;

/* The data of a program: 2 1/4 pages of its file, 2 3/4 of zeros. */
static const struct region data_region = {
    .start = PROGRAM_AT,
    .end = PROGRAM_AT + 5 * PAGE,
    .permissions = READ_WRITE,
    .file = FILE_FRAME * PAGE,
    .file_bytes = 2 * PAGE + PAGE / 4,
};

static int begin(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.free = FRAMES - FIRST_FREE;
    memset(fake.memory[FILE_FRAME], 'f', FILE_FRAMES * PAGE);
    assert_true(space_create(&space));
    return 0;
}

/* Whatever a case has done, its frames come back. */
static int end(void **state)
{
    (void)state;
    space_destroy(&space);
    assert_int_equal(fake.free, FRAMES - FIRST_FREE);
    return 0;
}

static enum space_result touch(uint64_t address, unsigned access)
{
    return space_resolve(&space, address, access, address);
}

static uint64_t frame_behind(uint64_t address)
{
    return arch_space_find(1, page_down(address), NULL);
}

static bool is_writable(uint64_t address)
{
    unsigned permissions = 0;

    (void)arch_space_find(1, page_down(address), &permissions);
    return (permissions & CRASH_MAP_WRITE) != 0;
}

/* ---- Pages ---- */

static void reading_a_page_of_the_file_maps_the_file_itself(void **state)
{
    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT + PAGE + 5, 0), SPACE_RESOLVED);
    assert_int_equal(frame_behind(PROGRAM_AT + PAGE), (FILE_FRAME + 1) * PAGE);
    assert_false(is_writable(PROGRAM_AT + PAGE));
    assert_int_equal(fake.free, FRAMES - FIRST_FREE);
}

static void writing_to_it_gets_a_copy_and_leaves_the_file(void **state)
{
    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT, 0), SPACE_RESOLVED);
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    assert_true(is_writable(PROGRAM_AT));
    assert_int_not_equal(frame_behind(PROGRAM_AT), FILE_FRAME * PAGE);
    assert_int_equal(((uint8_t *)arch_physical(frame_behind(PROGRAM_AT)))[PAGE - 1], 'f');
    assert_int_equal(fake.flushes, 1); /* others may have read the file's */
}

static void writing_first_needs_no_flush(void **state)
{
    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    assert_int_equal(fake.flushes, 0);
}

static void writing_again_changes_nothing(void **state)
{
    uint64_t frame;

    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    frame = frame_behind(PROGRAM_AT);
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    assert_int_equal(touch(PROGRAM_AT, 0), SPACE_RESOLVED);
    assert_int_equal(frame_behind(PROGRAM_AT), frame);
}

static void behind_the_files_end_in_a_page_are_zeros(void **state)
{
    const uint8_t *page;

    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT + 2 * PAGE, 0), SPACE_RESOLVED);
    page = arch_physical(frame_behind(PROGRAM_AT + 2 * PAGE));
    assert_int_equal(page[PAGE / 4 - 1], 'f');
    for (size_t i = PAGE / 4; i < PAGE; i++)
        assert_int_equal(page[i], 0);
}

static void pages_behind_the_file_share_the_zeros_until_written(void **state)
{
    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT + 3 * PAGE, 0), SPACE_RESOLVED);
    assert_int_equal(touch(PROGRAM_AT + 4 * PAGE, 0), SPACE_RESOLVED);
    assert_int_equal(frame_behind(PROGRAM_AT + 3 * PAGE), zero_frame());
    assert_int_equal(frame_behind(PROGRAM_AT + 4 * PAGE), zero_frame());
    assert_int_equal(touch(PROGRAM_AT + 3 * PAGE, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    assert_int_not_equal(frame_behind(PROGRAM_AT + 3 * PAGE), zero_frame());
    assert_int_equal(frame_behind(PROGRAM_AT + 4 * PAGE), zero_frame());
}

static void permissions_are_those_of_the_region(void **state)
{
    struct region code = data_region;

    (void)state;
    code.permissions = CRASH_MAP_READ | CRASH_MAP_EXECUTE;
    assert_true(space_add(&space, &code));
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_WRITE), SPACE_REFUSED);
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_EXECUTE), SPACE_RESOLVED);
    assert_true(space_remove(&space, code.start, code.end - code.start));
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_EXECUTE), SPACE_REFUSED);
}

static void nothing_is_outside_of_regions(void **state)
{
    static const uint64_t outside[] = {
        0, PROGRAM_AT - 1, PROGRAM_AT + 5 * PAGE, ARCH_USER_END, 0xffffffff80100000, UINT64_MAX};

    (void)state;
    assert_true(space_add(&space, &data_region));
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
        assert_int_equal(touch(outside[i], 0), SPACE_REFUSED);
}

static void short_memory_is_said_and_harms_nothing(void **state)
{
    (void)state;
    assert_true(space_add(&space, &data_region));
    assert_int_equal(touch(PROGRAM_AT, 0), SPACE_RESOLVED);
    fake.free = 0;
    assert_int_equal(touch(PROGRAM_AT, TRAP_ACCESS_WRITE), SPACE_NO_MEMORY);
    assert_int_equal(frame_behind(PROGRAM_AT), FILE_FRAME * PAGE);
    fake.free = FRAMES - FIRST_FREE;
}

/* ---- Stacks ---- */

#define STACK_END (PROGRAM_AT + 0x1000000ul)

static void a_stack_grows_to_accesses_near_the_stack_pointer(void **state)
{
    uint64_t sp = STACK_END - 10 * PAGE;

    (void)state;
    assert_true(space_add_stack(&space, STACK_END));
    assert_int_equal(space_resolve(&space, sp, TRAP_ACCESS_WRITE, sp), SPACE_RESOLVED);
    assert_int_equal(space_resolve(&space, sp - 128, TRAP_ACCESS_WRITE, sp), SPACE_RESOLVED);
    assert_int_equal(space_resolve(&space, sp - 2 * PAGE, TRAP_ACCESS_WRITE, sp), SPACE_REFUSED);
    assert_int_equal(space_resolve(&space, STACK_END - 5 * PAGE, 0, sp), SPACE_RESOLVED);
}

static void a_stack_ends_above_its_guard(void **state)
{
    uint64_t lowest = STACK_END - SPACE_STACK_BYTES;

    (void)state;
    assert_true(space_add_stack(&space, STACK_END));
    assert_int_equal(touch(lowest, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    assert_int_equal(touch(lowest - 1, TRAP_ACCESS_WRITE), SPACE_REFUSED);
    assert_int_equal(space_add_zeros(&space, lowest - PAGE, PAGE, CRASH_MAP_READ), 0);
    assert_int_equal(space_add_zeros(&space, lowest - 2 * PAGE, PAGE, CRASH_MAP_READ),
                     lowest - 2 * PAGE);
}

/* ---- Regions ---- */

static void taking_away_gives_frames_back_after_a_flush(void **state)
{
    (void)state;
    assert_true(space_add(&space, &data_region));
    for (uint64_t page = 0; page < 5; page++)
        assert_int_equal(touch(PROGRAM_AT + page * PAGE, TRAP_ACCESS_WRITE), SPACE_RESOLVED);
    fake.flushes = 0;
    assert_true(space_remove(&space, PROGRAM_AT, 5 * PAGE));
    assert_int_equal(fake.flushes, 1);
    assert_int_equal(fake.free, FRAMES - FIRST_FREE);
    assert_int_equal(space.regions.count, 0);
    assert_int_equal(touch(PROGRAM_AT, 0), SPACE_REFUSED);
}

/* ---- Copies ---- */

static void copies_cross_pages_and_resolve_them(void **state)
{
    uint8_t bytes[PAGE], back[PAGE];

    (void)state;
    memset(bytes, 'k', sizeof bytes);
    assert_true(space_add(&space, &data_region));
    assert_true(space_copy_out(&space, PROGRAM_AT + PAGE / 2, bytes, sizeof bytes));
    assert_true(space_copy_in(&space, back, PROGRAM_AT + PAGE / 2, sizeof back));
    assert_memory_equal(bytes, back, sizeof bytes);
    assert_true(space_copy_in(&space, back, PROGRAM_AT, 1));
    assert_int_equal(back[0], 'f');
    assert_int_equal(fake.memory[FILE_FRAME][PAGE - 1], 'f');
}

static void copies_of_what_is_not_the_programs_fail(void **state)
{
    static const struct {
        uint64_t address, len;
    } wrong[] = {
        {0, 1},
        {PROGRAM_AT - 1, 2},
        {PROGRAM_AT + 5 * PAGE - 1, 2},
        {PROGRAM_AT, UINT64_MAX},
        {PROGRAM_AT, UINT64_MAX - PROGRAM_AT + 2},
        {ARCH_USER_END - 1, 2},
        {0xffffffff80100000, 1},
        {UINT64_MAX, 2},
    };
    uint8_t bytes[8] = {0};

    (void)state;
    assert_true(space_add(&space, &data_region));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(space_copy_out(&space, wrong[i].address, bytes, wrong[i].len));
        assert_false(space_copy_in(&space, bytes, wrong[i].address, wrong[i].len));
    }
}

static void copies_do_not_write_to_constants(void **state)
{
    struct region constants = data_region;

    (void)state;
    constants.permissions = CRASH_MAP_READ;
    assert_true(space_add(&space, &constants));
    assert_false(space_copy_out(&space, PROGRAM_AT, "x", 1));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(reading_a_page_of_the_file_maps_the_file_itself),
        CASE(writing_to_it_gets_a_copy_and_leaves_the_file),
        CASE(writing_first_needs_no_flush),
        CASE(writing_again_changes_nothing),
        CASE(behind_the_files_end_in_a_page_are_zeros),
        CASE(pages_behind_the_file_share_the_zeros_until_written),
        CASE(permissions_are_those_of_the_region),
        CASE(nothing_is_outside_of_regions),
        CASE(short_memory_is_said_and_harms_nothing),
        CASE(a_stack_grows_to_accesses_near_the_stack_pointer),
        CASE(a_stack_ends_above_its_guard),
        CASE(taking_away_gives_frames_back_after_a_flush),
        CASE(copies_cross_pages_and_resolve_them),
        CASE(copies_of_what_is_not_the_programs_fail),
        CASE(copies_do_not_write_to_constants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
