/*
 * test_pvh.c - what a PVH loader leaves, read from a buffer that plays physical memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot_memory.h"

static void test_pvh_gives_everything(void **state)
{
    const struct pvh_start_info info = {
        .magic = PVH_LOADED,
        .version = 1,
        .module_count = 2,
        .modules = 0x2000,
        .command_line = 0x2100,
        .rsdp = 0xf5aa0,
        .memory_map = 0x2200,
        .memory_map_count = 3,
    };
    const struct pvh_module modules[] = {{0x300000, 0x10, 0x2140, 0}, {0x400000, 0, 0, 0}};
    const struct pvh_memory_entry map[] = {
        {0, 0x9fc00, 1, 0}, {0x100000, 0x7ee0000, 1, 0}, {0xfffc0000, 0x40000, 2, 0}};

    (void)state;
    put(INFO, &info, sizeof(info));
    put(0x2000, modules, sizeof(modules));
    put(0x2100, "run=provoke:divide", 19);
    put(0x2140, "initrd", 7);
    put(0x2200, map, sizeof(map));
    read_report(PVH_LOADED, &memory, INFO, &report);

    assert_string_equal(report.info.loader, "PVH");
    assert_string_equal(report.info.command_line, "run=provoke:divide");
    assert_int_equal(report.info.acpi_root, 0xf5aa0);
    assert_int_equal(report.info.module_count, 2);
    assert_int_equal(report.info.modules[0].start, 0x300000);
    assert_int_equal(report.info.modules[0].end, 0x300010);
    assert_string_equal(report.info.modules[0].name, "initrd");
    assert_string_equal(report.info.modules[1].name, "");
    assert_int_equal(report.info.range_count, 3);
    assert_range(2, 0xfffc0000, 0x100000000, ARCH_MEMORY_RESERVED);
}

static void test_pvh_version_0_has_no_memory_map(void **state)
{
    struct pvh_start_info info = {
        .magic = PVH_LOADED, .version = 0, .memory_map = 0x2200, .memory_map_count = 1};
    const struct pvh_memory_entry entry = {0, 0x1000, 1, 0};
    const uint64_t at = MEMORY_BYTES - offsetof(struct pvh_start_info, memory_map);

    (void)state;
    put(0x2200, &entry, sizeof(entry));
    put(INFO, &info, sizeof(info));
    read_report(PVH_LOADED, &memory, INFO, &report);
    assert_int_equal(report.info.range_count, 0);

    info.command_line = 0x2300; /* the short struct, at the end of memory */
    put(0x2300, "short", 6);
    put(at, &info, offsetof(struct pvh_start_info, memory_map));
    read_report(PVH_LOADED, &memory, at, &report);
    assert_string_equal(report.info.command_line, "short");
}

static void test_pvh_pointers_outside_memory_are_not_followed(void **state)
{
    const struct pvh_start_info info = {
        .magic = PVH_LOADED,
        .version = 1,
        .module_count = UINT32_MAX,
        .modules = UINT64_MAX - 8,
        .command_line = 1ull << 50,
        .memory_map = MEMORY_BYTES - 8,
        .memory_map_count = UINT32_MAX,
    };

    (void)state;
    put(INFO, &info, sizeof(info));
    read_report(PVH_LOADED, &memory, INFO, &report);
    assert_string_equal(report.info.command_line, "");
    assert_int_equal(report.info.module_count, 0);
    assert_int_equal(report.info.range_count, 0);
}

static void test_pvh_text_ends_where_memory_ends(void **state)
{
    const struct pvh_start_info info = {.magic = PVH_LOADED, .command_line = MEMORY_BYTES - 3};

    (void)state;
    put(INFO, &info, sizeof(info));
    put(MEMORY_BYTES - 3, "abc", 3);
    read_report(PVH_LOADED, &memory, INFO, &report);
    assert_string_equal(report.info.command_line, "abc");
}

static void test_pvh_wants_its_magic(void **state)
{
    const struct pvh_start_info info = {.magic = 1, .command_line = 0x2100};

    (void)state;
    put(INFO, &info, sizeof(info));
    put(0x2100, "x", 2);
    read_report(PVH_LOADED, &memory, INFO, &report);
    assert_string_equal(report.info.command_line, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pvh_gives_everything),
        TEST(test_pvh_version_0_has_no_memory_map),
        TEST(test_pvh_pointers_outside_memory_are_not_followed),
        TEST(test_pvh_text_ends_where_memory_ends),
        TEST(test_pvh_wants_its_magic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
