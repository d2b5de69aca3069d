/*
 * test_free_memory.c - what boot leaves: usable memory, less what anybody uses already.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/memory_layout.h"

/* Where the kernel's image ends, in the middle of a page. */
#define image_physical(object) UINT64_C(0x145678)

#include "arch/x86_64/frames.c"

enum {
    MIB = 1 << 20,
};

static struct arch_boot_info info;

const struct arch_boot_info *arch_boot_info(void)
{
    return &info;
}

void arch_panic(const char *message)
{
    fail_msg("panic: %s", message);
}

static int start(void **state)
{
    (void)state;
    memset(&info, 0, sizeof info);
    frames.lowest = BOOT_MAPPED;
    return 0;
}

static void add_range(uint64_t from, uint64_t to, enum arch_memory_kind kind)
{
    info.ranges[info.range_count++] = (struct arch_memory_range){from, to, kind};
}

static void add_module(uint64_t from, uint64_t to)
{
    info.modules[info.module_count++] = (struct arch_boot_module){.start = from, .end = to};
}

static void assert_free(const struct span *expected, size_t count)
{
    uint64_t from, to;

    for (size_t i = 0; i < count; i++) {
        assert_true(arch_free_memory(i, &from, &to));
        assert_int_equal(from, expected[i].start);
        assert_int_equal(to, expected[i].end);
    }
    assert_false(arch_free_memory(count, &from, &to));
}

static void without_memory_none_is_free(void **state)
{
    (void)state;
    assert_free(NULL, 0);
}

static void low_memory_and_the_image_and_what_crash_records_need_are_not_free(void **state)
{
    static const struct span expected[] = {{0x146000, 16 * MIB}, {17 * MIB, 64 * MIB}};

    (void)state;
    add_range(0, 0x9fc00, ARCH_MEMORY_USABLE);
    add_range(MIB, 64 * MIB, ARCH_MEMORY_USABLE);
    assert_free(expected, 2);
}

static void only_usable_memory_is_free_and_only_whole_pages(void **state)
{
    static const struct span expected[] = {{0x2001000, 0x2005000}};

    (void)state;
    add_range(0x1000000, 0x2000123, ARCH_MEMORY_ACPI);
    add_range(0x2000123, 0x2005fff, ARCH_MEMORY_USABLE);
    add_range(0x2005fff, 0x3000000, ARCH_MEMORY_BAD);
    add_range(0x3000001, 0x3000fff, ARCH_MEMORY_USABLE);
    assert_free(expected, 1);
}

static void modules_are_not_free(void **state)
{
    static const struct span expected[] = {
        {0x146000, 0x800000}, {0x804000, 0x900000}, {0x902000, 16 * MIB}};

    (void)state;
    add_range(MIB, 16 * MIB, ARCH_MEMORY_USABLE);
    add_module(0x900000, 0x901001);
    add_module(0x800fff, 0x803001);
    add_module(0x800000, 0x801000);
    assert_free(expected, 3);
}

static void what_boot_took_is_not_free_but_memory_above_is(void **state)
{
    static const struct span expected[] = {
        {0x146000, 16 * MIB}, {17 * MIB, 0x3f00000}, {BOOT_MAPPED, BOOT_MAPPED + 8 * MIB}};

    (void)state;
    add_range(MIB, 64 * MIB, ARCH_MEMORY_USABLE);
    add_range(BOOT_MAPPED, BOOT_MAPPED + 8 * MIB, ARCH_MEMORY_USABLE);
    frames.lowest = 0x3f00000;
    assert_free(expected, 3);
}

static void a_range_across_4_gib_is_free_below_and_above_what_boot_took(void **state)
{
    static const struct span expected[] = {{BOOT_MAPPED - 32 * MIB, BOOT_MAPPED - 4 * MIB},
                                           {BOOT_MAPPED, BOOT_MAPPED + 8 * MIB}};

    (void)state;
    add_range(BOOT_MAPPED - 32 * MIB, BOOT_MAPPED + 8 * MIB, ARCH_MEMORY_USABLE);
    frames.lowest = BOOT_MAPPED - 4 * MIB;
    assert_free(expected, 2);
}

/* Any memory, asked page by page, is what the ranges and modules say. */
enum {
    PAGES = 64,
    ROUNDS = 2000,
    FIRST_PAGE = 0x200,
};

static uint64_t page(uint64_t n)
{
    return (FIRST_PAGE + n) * ARCH_PAGE_BYTES;
}

static void make_memory(bool *expected)
{
    uint64_t at = 0;

    memset(expected, 0, PAGES);
    start(NULL);
    while (at < PAGES) {
        uint64_t end = at + 1 + (uint64_t)rand() % 12;
        bool usable = rand() % 2 == 0;

        end = end < PAGES ? end : PAGES;
        add_range(page(at), page(end), usable ? ARCH_MEMORY_USABLE : ARCH_MEMORY_RESERVED);
        for (; at < end; at++)
            expected[at] = usable;
    }
    for (int i = 0; i < 3; i++) {
        uint64_t first = (uint64_t)rand() % (PAGES - 4), pages = 1 + (uint64_t)rand() % 4;

        add_module(page(first) + 1, page(first + pages) - 1);
        memset(&expected[first], 0, pages);
    }
    frames.lowest = page(PAGES - (uint64_t)rand() % 8);
    for (uint64_t n = 0; n < PAGES; n++)
        expected[n] = expected[n] && page(n) < frames.lowest;
}

static void random_memory_agrees_with_a_search_by_page(void **state)
{
    bool expected[PAGES], seen[PAGES];

    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t from, to;

        make_memory(expected);
        memset(seen, 0, sizeof seen);
        for (size_t i = 0; arch_free_memory(i, &from, &to); i++) {
            assert_true(from < to);
            for (; from < to; from += ARCH_PAGE_BYTES)
                seen[from / ARCH_PAGE_BYTES - FIRST_PAGE] = true;
        }
        assert_memory_equal(seen, expected, sizeof seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_memory_none_is_free, start),
        cmocka_unit_test_setup(low_memory_and_the_image_and_what_crash_records_need_are_not_free,
                               start),
        cmocka_unit_test_setup(only_usable_memory_is_free_and_only_whole_pages, start),
        cmocka_unit_test_setup(modules_are_not_free, start),
        cmocka_unit_test_setup(what_boot_took_is_not_free_but_memory_above_is, start),
        cmocka_unit_test_setup(a_range_across_4_gib_is_free_below_and_above_what_boot_took, start),
        cmocka_unit_test_setup(random_memory_agrees_with_a_search_by_page, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
