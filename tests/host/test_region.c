/*
 * test_region.c - regions stay sorted, disjoint and where programs may be, whatever is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/region.c"

#define PROGRAM_AT 0x400000ul

enum {
    PAGE = ARCH_PAGE_BYTES,
};

static struct regions regions;

static int begin(void **state)
{
    (void)state;
    memset(&regions, 0, sizeof regions);
    return 0;
}

static bool add(uint64_t start, uint64_t pages)
{
    const struct region region = {.start = start, .end = start + pages * PAGE, .lowest = start};

    return regions_add(&regions, &region);
}

/* As space_remove() does. */
static void take_away(uint64_t start, uint64_t pages)
{
    uint64_t end = start + pages * PAGE;
    struct region *region;

    while ((region = regions_from(&regions, start)) != NULL && region->start < end)
        regions_cut(&regions, region, start > region->start ? start : region->start,
                    end < region->end ? end : region->end);
}

static void those_that_overlap_are_refused(void **state)
{
    (void)state;
    assert_true(add(PROGRAM_AT, 5));
    for (uint64_t start = PROGRAM_AT - 2 * PAGE; start < PROGRAM_AT + 7 * PAGE; start += PAGE) {
        bool beside = start == PROGRAM_AT - 2 * PAGE || start >= PROGRAM_AT + 5 * PAGE;

        assert_int_equal(add(start, 2), beside);
        if (beside)
            take_away(start, 2);
    }
}

static void those_that_are_not_for_programs_are_refused(void **state)
{
    static const struct {
        uint64_t start, end;
    } wrong[] = {
        {ARCH_USER_START - PAGE, ARCH_USER_START + PAGE},
        {0, PAGE},
        {ARCH_USER_END - PAGE, ARCH_USER_END + PAGE},
        {ARCH_USER_END, ARCH_USER_END + PAGE},
        {0x800000000000, 0x800000001000},
        {0xffffffff80000000, 0xffffffff80001000},
        {UINT64_MAX - PAGE + 1, 0},
        {UINT64_MAX - PAGE + 1, PAGE},
        {PROGRAM_AT, PROGRAM_AT},
        {PROGRAM_AT, PROGRAM_AT - PAGE},
        {PROGRAM_AT + 1, PROGRAM_AT + PAGE},
        {PROGRAM_AT, PROGRAM_AT + PAGE + 1},
        {PROGRAM_AT, PROGRAM_AT + REGION_BYTES + PAGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct region region = {.start = wrong[i].start, .end = wrong[i].end};

        assert_false(regions_add(&regions, &region));
    }
    assert_int_equal(regions.count, 0);
}

static void there_is_a_limit_to_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REGIONS; i++)
        assert_true(add(PROGRAM_AT + i * 2 * PAGE, 1));
    assert_false(add(PROGRAM_AT + REGIONS * 2 * PAGE, 1));
}

static void room_is_found_with_a_page_around_it(void **state)
{
    uint64_t first = regions_find_room(&regions, 2 * PAGE), second;

    (void)state;
    assert_true(add(first, 2));
    second = regions_find_room(&regions, PAGE);
    assert_int_equal(second, first + 3 * PAGE);
    assert_true(add(second, 1));
    take_away(first, 2);
    assert_int_equal(regions_find_room(&regions, 2 * PAGE), first);
    assert_int_equal(regions_find_room(&regions, 3 * PAGE), second + 2 * PAGE);
}

static void what_is_left_on_both_sides_keeps_its_file(void **state)
{
    const struct region region = {.start = PROGRAM_AT,
                                  .end = PROGRAM_AT + 6 * PAGE,
                                  .lowest = PROGRAM_AT,
                                  .file = 0x100000,
                                  .file_bytes = 4 * PAGE + 7};

    (void)state;
    assert_true(regions_add(&regions, &region));
    take_away(PROGRAM_AT + PAGE, 2);
    assert_int_equal(regions.count, 2);
    assert_int_equal(regions.list[0].end, PROGRAM_AT + PAGE);
    assert_int_equal(regions.list[1].start, PROGRAM_AT + 3 * PAGE);
    assert_int_equal(regions.list[1].lowest, PROGRAM_AT + 3 * PAGE);
    assert_int_equal(regions.list[1].file, 0x100000 + 3 * PAGE);
    assert_int_equal(regions.list[1].file_bytes, PAGE + 7);
    take_away(PROGRAM_AT + 3 * PAGE, 2);
    assert_int_equal(regions.list[1].start, PROGRAM_AT + 5 * PAGE);
    assert_int_equal(regions.list[1].file_bytes, 0);
}

static void taking_away_goes_across_regions_and_gaps(void **state)
{
    (void)state;
    assert_true(add(PROGRAM_AT + 6 * PAGE, 2));
    assert_true(add(PROGRAM_AT, 2));
    assert_true(add(PROGRAM_AT + 4 * PAGE, 1));
    take_away(PROGRAM_AT + PAGE, 6);
    assert_int_equal(regions.count, 2);
    assert_int_equal(regions.list[0].end, PROGRAM_AT + PAGE);
    assert_int_equal(regions.list[1].start, PROGRAM_AT + 7 * PAGE);
    assert_null(regions_find(&regions, PROGRAM_AT + PAGE));
    assert_null(regions_find(&regions, PROGRAM_AT + 7 * PAGE - 1));
    assert_ptr_equal(regions_find(&regions, PROGRAM_AT + 7 * PAGE), &regions.list[1]);
}

/* Against a map of single pages. */
static void random_changes_leave_just_what_a_map_says(void **state)
{
    enum { MAP_PAGES = 64 };
    bool map[MAP_PAGES] = {false};

    (void)state;
    srand(1);
    for (unsigned i = 0; i < 50000; i++) {
        size_t start = (size_t)rand() % MAP_PAGES, count = 1 + (size_t)rand() % (MAP_PAGES - start);
        bool is_free = true, takes = rand() % 2 == 0;

        if (regions.count == REGIONS) {
            start = 0;
            count = MAP_PAGES;
            takes = true;
        }
        for (size_t page = start; page < start + count; page++)
            is_free &= !map[page];
        if (takes)
            take_away(PROGRAM_AT + start * PAGE, count);
        else
            assert_int_equal(add(PROGRAM_AT + start * PAGE, count), is_free);
        if (takes || is_free)
            memset(map + start, !takes, count);
        for (size_t page = 0; page < MAP_PAGES; page++)
            assert_int_equal(regions_find(&regions, PROGRAM_AT + page * PAGE) != NULL, map[page]);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        CASE(those_that_overlap_are_refused),
        CASE(those_that_are_not_for_programs_are_refused),
        CASE(there_is_a_limit_to_them),
        CASE(room_is_found_with_a_page_around_it),
        CASE(what_is_left_on_both_sides_keeps_its_file),
        CASE(taking_away_goes_across_regions_and_gaps),
        CASE(random_changes_leave_just_what_a_map_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
