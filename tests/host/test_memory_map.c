/*
 * test_memory_map.c - firmware's memory maps, made sorted and disjoint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/memory_map.c"

enum test_limits {
    MAX = 8,
    KINDS = ARCH_MEMORY_BAD + 1,
};

static struct arch_memory_range ranges[MAX];

static void assert_ranges(const struct arch_memory_range *raw, size_t raw_count,
                          const struct arch_memory_range *expected, size_t count)
{
    assert_int_equal(memory_map_normalise(raw, raw_count, ranges, MAX), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ranges[i].start, expected[i].start);
        assert_int_equal(ranges[i].end, expected[i].end);
        assert_int_equal(ranges[i].kind, expected[i].kind);
    }
}

static void test_an_empty_map_stays_empty(void **state)
{
    (void)state;
    assert_ranges(NULL, 0, NULL, 0);
}

static void test_ranges_are_sorted_and_neighbours_of_a_kind_joined(void **state)
{
    static const struct arch_memory_range raw[] = {
        {0x3000, 0x4000, ARCH_MEMORY_USABLE}, {0x8000, 0x9000, ARCH_MEMORY_RESERVED},
        {0x1000, 0x2000, ARCH_MEMORY_USABLE}, {0x2000, 0x3000, ARCH_MEMORY_USABLE},
        {0x4000, 0x5000, ARCH_MEMORY_ACPI},
    };
    static const struct arch_memory_range expected[] = {
        {0x1000, 0x4000, ARCH_MEMORY_USABLE},
        {0x4000, 0x5000, ARCH_MEMORY_ACPI},
        {0x8000, 0x9000, ARCH_MEMORY_RESERVED},
    };

    (void)state;
    assert_ranges(raw, 5, expected, 3);
}

static const enum arch_memory_kind from_most_usable[] = {
    ARCH_MEMORY_USABLE, ARCH_MEMORY_ACPI, ARCH_MEMORY_RESERVED, ARCH_MEMORY_NVS, ARCH_MEMORY_BAD,
};

static void test_the_less_usable_kind_wins_whichever_comes_first(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < KINDS - 1; i++) {
        enum arch_memory_kind more = from_most_usable[i];
        enum arch_memory_kind less = from_most_usable[i + 1];
        const struct arch_memory_range raw[] = {
            {0x2000, 0x3000, less}, {0x1000, 0x5000, more}, {0x2000, 0x3000, less}};
        const struct arch_memory_range expected[] = {
            {0x1000, 0x2000, more}, {0x2000, 0x3000, less}, {0x3000, 0x5000, more}};

        assert_ranges(raw, 2, expected, 3);
        assert_ranges(raw + 1, 2, expected, 3);
    }
}

static void test_a_range_may_reach_the_last_address(void **state)
{
    static const struct arch_memory_range raw[] = {{0x5000, UINT64_MAX, ARCH_MEMORY_RESERVED}};

    (void)state;
    assert_ranges(raw, 1, raw, 1);
}

static void test_the_lowest_of_too_many_are_kept(void **state)
{
    struct arch_memory_range raw[MAX + 2];

    (void)state;
    for (size_t i = 0; i < MAX + 2; i++)
        raw[MAX + 1 - i] = (struct arch_memory_range){i * 2, i * 2 + 1, ARCH_MEMORY_USABLE};
    assert_int_equal(memory_map_normalise(raw, MAX + 2, ranges, MAX), MAX);
    for (size_t i = 0; i < MAX; i++)
        assert_int_equal(ranges[i].start, i * 2);
}

/* Any map, asked address by address, says what the least usable of the raw ranges says. */
enum search_limits {
    ADDRESSES = 40,
    RAW_RANGES = 12,
    ROUNDS = 2000,
};

static size_t usability_rank(unsigned kind)
{
    for (size_t i = 0; i < KINDS - 1; i++) {
        if (from_most_usable[i] == kind)
            return i + 1;
    }
    return 0;
}

static void make_map(struct arch_memory_range *raw, unsigned *expected)
{
    memset(expected, 0, ADDRESSES * sizeof(*expected));
    for (size_t i = 0; i < RAW_RANGES; i++) {
        raw[i].start = (uint64_t)rand() % 30;
        raw[i].end = raw[i].start + 1 + (uint64_t)rand() % 8;
        raw[i].kind = from_most_usable[rand() % 5];
        for (uint64_t at = raw[i].start; at < raw[i].end; at++) {
            if (usability_rank(raw[i].kind) > usability_rank(expected[at]))
                expected[at] = raw[i].kind;
        }
    }
}

static void test_random_maps_agree_with_a_search_by_address(void **state)
{
    struct arch_memory_range raw[RAW_RANGES], result[2 * RAW_RANGES];
    unsigned expected[ADDRESSES], seen[ADDRESSES];

    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count;

        make_map(raw, expected);
        memset(seen, 0, sizeof(seen));
        count = memory_map_normalise(raw, RAW_RANGES, result, 2 * RAW_RANGES);
        for (size_t i = 0; i < count; i++) {
            assert_true(result[i].start < result[i].end && result[i].end <= ADDRESSES);
            assert_true(i == 0 || result[i - 1].end <= result[i].start);
            for (uint64_t at = result[i].start; at < result[i].end; at++)
                seen[at] = result[i].kind;
        }
        assert_memory_equal(seen, expected, sizeof(seen));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_map_stays_empty),
        cmocka_unit_test(test_ranges_are_sorted_and_neighbours_of_a_kind_joined),
        cmocka_unit_test(test_the_less_usable_kind_wins_whichever_comes_first),
        cmocka_unit_test(test_a_range_may_reach_the_last_address),
        cmocka_unit_test(test_the_lowest_of_too_many_are_kept),
        cmocka_unit_test(test_random_maps_agree_with_a_search_by_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
