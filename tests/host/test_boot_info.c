/*
 * test_boot_info.c - what a multiboot2 loader leaves, and what is made of it; a buffer plays
 * physical memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot_memory.h"

/* ---- Multiboot2: tags are put one behind the other ---- */

static uint32_t next_tag;

static void begin_tags(void)
{
    next_tag = INFO + sizeof(struct multiboot2_info);
}

/* A tag of `type` whose header says `size`, of which `len` bytes of payload are really put. */
static void put_tag_of_size(uint32_t type, uint32_t size, const void *payload, size_t len)
{
    const struct multiboot2_tag tag = {type, size};

    put(next_tag, &tag, sizeof(tag));
    put(next_tag + sizeof(tag), payload, len);
    next_tag += ((uint32_t)(sizeof(tag) + len) + 7) & ~7u;
}

static void put_tag(uint32_t type, const void *payload, size_t len)
{
    put_tag_of_size(type, (uint32_t)(sizeof(struct multiboot2_tag) + len), payload, len);
}

static void read_tags(void)
{
    struct multiboot2_info info = {0, 0};

    put_tag(MULTIBOOT2_END, "", 0);
    info.total_size = next_tag - INFO;
    put(INFO, &info, sizeof(info));
    read_report(MULTIBOOT2_LOADED, &memory, INFO, &report);
}

static void test_multiboot2_gives_everything(void **state)
{
    static const struct {
        uint32_t start, end;
        char name[6];
    } module = {0x200000, 0x201234, "disk1"};
    static const struct {
        uint32_t entry_size, version;
        struct multiboot2_memory_entry entries[2];
    } map = {24, 0, {{0x100000, 0x700000, 1, 0}, {0, 0x9fc00, 1, 0}}};

    (void)state;
    begin_tags();
    put_tag(MULTIBOOT2_COMMAND_LINE, "console=com1 gdb=com2", 22);
    put_tag(MULTIBOOT2_LOADER_NAME, "GRUB 2.06", 10);
    put_tag(MULTIBOOT2_MODULE, &module, 14);
    put_tag(MULTIBOOT2_MEMORY_MAP, &map, sizeof(map));
    put_tag(MULTIBOOT2_ACPI_1, "RSD PTR 1..........", 20);
    read_tags();

    assert_string_equal(report.info.loader, "GRUB 2.06");
    assert_string_equal(report.info.command_line, "console=com1 gdb=com2");
    assert_int_equal(report.info.module_count, 1);
    assert_int_equal(report.info.modules[0].start, 0x200000);
    assert_int_equal(report.info.modules[0].end, 0x201234);
    assert_string_equal(report.info.modules[0].name, "disk1");
    assert_int_equal(report.info.range_count, 2);
    assert_range(0, 0, 0x9fc00, ARCH_MEMORY_USABLE);
    assert_range(1, 0x100000, 0x800000, ARCH_MEMORY_USABLE);
    assert_int_equal(report.rsdp_bytes, 20);
    assert_memory_equal(report.rsdp, "RSD PTR 1", 9);
}

static void test_multiboot2_prefers_the_later_root_pointer(void **state)
{
    (void)state;
    begin_tags();
    put_tag(MULTIBOOT2_ACPI_2, "RSD PTR 2..........................", 36);
    put_tag(MULTIBOOT2_ACPI_1, "RSD PTR 1..........", 20);
    read_tags();
    assert_int_equal(report.rsdp_bytes, 36);
    assert_memory_equal(report.rsdp, "RSD PTR 2", 9);
}

static void test_multiboot2_reads_entries_that_grew(void **state)
{
    static const struct {
        uint32_t entry_size, version;
        struct {
            struct multiboot2_memory_entry entry;
            uint64_t more;
        } entries[2];
    } map = {32, 1, {{{0x1000, 0x1000, 1, 0}, ~0ull}, {{0x8000, 0x1000, 3, 0}, ~0ull}}};

    (void)state;
    begin_tags();
    put_tag(MULTIBOOT2_MEMORY_MAP, &map, sizeof(map));
    read_tags();
    assert_int_equal(report.info.range_count, 2);
    assert_range(0, 0x1000, 0x2000, ARCH_MEMORY_USABLE);
    assert_range(1, 0x8000, 0x9000, ARCH_MEMORY_ACPI);
}

static void test_multiboot2_ends_at_a_tag_that_does_not_fit(void **state)
{
    static const uint32_t sizes[] = {0, 7, 4096, UINT32_MAX - 7, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(&report, 0, sizeof(report));
        begin_tags();
        put_tag(MULTIBOOT2_LOADER_NAME, "GRUB", 5);
        put_tag_of_size(MULTIBOOT2_COMMAND_LINE, sizes[i], "wrong", 6);
        put_tag(MULTIBOOT2_COMMAND_LINE, "never reached", 14);
        read_tags();
        assert_string_equal(report.info.loader, "GRUB");
        assert_string_equal(report.info.command_line, "");
    }
}

static void test_multiboot2_ignores_tags_too_short_for_their_type(void **state)
{
    (void)state;
    begin_tags();
    put_tag(MULTIBOOT2_MODULE, "\0\0\0\0\1\1\1", 7);
    put_tag(MULTIBOOT2_MEMORY_MAP, "1234567", 7);
    put_tag(MULTIBOOT2_MEMORY_MAP, "\0\0\0\0\0\0\0\0entry of no size........", 32);
    put_tag(MULTIBOOT2_COMMAND_LINE, "x", 2);
    read_tags();
    assert_int_equal(report.info.module_count, 0);
    assert_int_equal(report.info.range_count, 0);
    assert_string_equal(report.info.command_line, "x");
}

static void test_multiboot2_text_without_an_end_stops_at_its_tag(void **state)
{
    (void)state;
    begin_tags();
    put_tag(MULTIBOOT2_COMMAND_LINE, "abcd", 4);
    put_tag(MULTIBOOT2_LOADER_NAME, "GRUB", 5);
    read_tags();
    assert_string_equal(report.info.command_line, "abcd");
}

static void test_multiboot2_cuts_what_is_too_long(void **state)
{
    char text[3000];

    (void)state;
    memset(text, 'x', sizeof(text));
    begin_tags();
    put_tag(MULTIBOOT2_COMMAND_LINE, text, sizeof(text));
    put_tag(MULTIBOOT2_LOADER_NAME, text, sizeof(text));
    read_tags();
    assert_int_equal(strlen(report.info.command_line), ARCH_COMMAND_LINE_BYTES - 1);
    assert_int_equal(strlen(report.info.loader), BOOT_LOADER_NAME_BYTES - 1);
}

static void test_multiboot2_information_outside_memory_is_not_read(void **state)
{
    struct multiboot2_info info = {MEMORY_BYTES, 0};
    static const uint64_t addresses[] = {0, MEMORY_BYTES, MEMORY_BYTES - 4, UINT64_MAX, 1ull << 40};

    (void)state;
    put(INFO, &info, sizeof(info)); /* longer than what is behind it */
    read_report(MULTIBOOT2_LOADED, &memory, INFO, &report);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
        read_report(MULTIBOOT2_LOADED, &memory, addresses[i], &report);
    assert_string_equal(report.info.loader, "multiboot2");
    assert_string_equal(report.info.command_line, "");
    assert_int_equal(report.info.range_count, 0);
}

/* ---- Whichever the protocol ---- */

static void test_an_unknown_loader_leaves_nothing(void **state)
{
    (void)state;
    read_report(0x2badb002, &memory, INFO, &report);
    assert_string_equal(report.info.loader, "unknown");
    assert_string_equal(report.info.command_line, "");
    assert_int_equal(report.info.range_count, 0);
}

static void test_a_range_of_unknown_type_is_reserved(void **state)
{
    static const uint32_t types[] = {0, 6, 7, 12, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        boot_report_range(&report, 0x1000, 0x1000, types[i]);
        assert_int_equal(report.raw_count, i + 1);
        assert_int_equal(report.raw[i].kind, ARCH_MEMORY_RESERVED);
    }
}

static void test_an_empty_range_is_left_out(void **state)
{
    (void)state;
    boot_report_range(&report, 0x1000, 0, ARCH_MEMORY_USABLE);
    assert_int_equal(report.raw_count, 0);
}

static void test_a_range_past_the_last_address_is_cut(void **state)
{
    (void)state;
    boot_report_range(&report, 0x5000, UINT64_MAX, ARCH_MEMORY_USABLE);
    assert_int_equal(report.raw[0].start, 0x5000);
    assert_int_equal(report.raw[0].end, UINT64_MAX);
}

static void test_ranges_beyond_the_table_are_left_out(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < BOOT_RAW_RANGES + 10; i++)
        boot_report_range(&report, i * 0x2000, 0x1000, ARCH_MEMORY_USABLE);
    assert_int_equal(report.raw_count, BOOT_RAW_RANGES);
}

static void test_a_module_that_ends_before_it_starts_is_left_out(void **state)
{
    (void)state;
    boot_report_module(&report, &memory, 0x2000, 0x1fff, 0);
    assert_int_equal(report.info.module_count, 0);
    boot_report_module(&report, &memory, 0x2000, 0x2000, 0);
    assert_int_equal(report.info.module_count, 1);
}

static void test_modules_beyond_the_table_are_left_out(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < ARCH_BOOT_MODULES + 2; i++)
        boot_report_module(&report, &memory, i * 0x1000, i * 0x1000 + 1, 0);
    assert_int_equal(report.info.module_count, ARCH_BOOT_MODULES);
    assert_int_equal(report.info.modules[ARCH_BOOT_MODULES - 1].start,
                     (ARCH_BOOT_MODULES - 1) * 0x1000);
    assert_int_equal(report.info.acpi_root, 0); /* what is behind the table */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_multiboot2_gives_everything),
        TEST(test_multiboot2_prefers_the_later_root_pointer),
        TEST(test_multiboot2_reads_entries_that_grew),
        TEST(test_multiboot2_ends_at_a_tag_that_does_not_fit),
        TEST(test_multiboot2_ignores_tags_too_short_for_their_type),
        TEST(test_multiboot2_text_without_an_end_stops_at_its_tag),
        TEST(test_multiboot2_cuts_what_is_too_long),
        TEST(test_multiboot2_information_outside_memory_is_not_read),
        TEST(test_an_unknown_loader_leaves_nothing),
        TEST(test_a_range_of_unknown_type_is_reserved),
        TEST(test_an_empty_range_is_left_out),
        TEST(test_a_range_past_the_last_address_is_cut),
        TEST(test_ranges_beyond_the_table_are_left_out),
        TEST(test_a_module_that_ends_before_it_starts_is_left_out),
        TEST(test_modules_beyond_the_table_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
