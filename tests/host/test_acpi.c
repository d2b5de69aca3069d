/*
 * test_acpi.c - ACPI's MADT, built in a buffer that plays physical memory, and damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "acpi_memory.h"

static struct acpi_madt found;

/* A machine's tables: two IOAPICs, IRQ 0 at input 2, IRQ 9 active low, and what is not read. */
static const uint8_t madt_body[] = {
    0, 0,  0xe0, 0xfe, 1, 0,    0,    0,                   /* local APIC, flags */
    0, 8,  0,    0,    1, 0,    0,    0,                   /* a processor */
    1, 12, 0,    0,    0, 0,    0xc0, 0xfe, 0,    0, 0, 0, /* IOAPIC at fec00000, GSI 0 */
    2, 10, 0,    0,    2, 0,    0,    0,    0,    0,       /* IRQ 0 is GSI 2, as the bus */
    2, 10, 0,    9,    9, 0,    0,    0,    0x0f, 0,       /* IRQ 9: low, level */
    2, 10, 0,    4,    4, 0,    0,    0,    0x05, 0,       /* IRQ 4: high, edge */
    2, 10, 0,    16,   1, 0,    0,    0,    0x0f, 0,       /* no ISA interrupt has that number */
    4, 6,  0xff, 0,    0, 1,                               /* NMI at LINT1 */
    1, 12, 1,    0,    0, 0x10, 0xc0, 0xfe, 24,   0, 0, 0, /* IOAPIC at fec01000, GSI 24 */
};

static void put_machine(uint8_t revision)
{
    static const uint32_t rsdt[] = {OTHER_TABLE, MADT};
    static const uint64_t xsdt[] = {0, 1ull << 40, OTHER_TABLE, MADT};

    put_rsdp(RSDP, revision);
    put_table(RSDT, "RSDT", rsdt, sizeof(rsdt));
    put_table(XSDT, "XSDT", xsdt, sizeof(xsdt));
    put_table(OTHER_TABLE, "HPET", "other", 5);
    put_table(MADT, "APIC", madt_body, sizeof(madt_body));
}

static void assert_machine_found(void)
{
    assert_int_equal(found.io_apic_count, 2);
    assert_int_equal(found.io_apics[0].address, 0xfec00000);
    assert_int_equal(found.io_apics[0].first_gsi, 0);
    assert_int_equal(found.io_apics[1].address, 0xfec01000);
    assert_int_equal(found.io_apics[1].first_gsi, 24);
}

static void test_the_tables_of_both_revisions_are_found(void **state)
{
    (void)state;
    put_machine(0);
    bytes[XSDT] = 'x'; /* revision 0 has none */
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_machine_found();

    put_machine(2);
    bytes[RSDT] = 'x'; /* not looked at */
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_machine_found();
}

static void test_revision_2_without_an_extended_table_uses_the_other(void **state)
{
    (void)state;
    put_machine(2);
    memset(bytes + RSDP + offsetof(struct rsdp, xsdt), 0, sizeof(uint64_t));
    seal(RSDP, sizeof(struct rsdp), offsetof(struct rsdp, extended_checksum));
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_machine_found();
}

static void test_the_root_pointer_is_searched(void **state)
{
    (void)state;
    assert_false(acpi_read_madt(&memory, 0, &found));

    put_machine(2);
    assert_true(acpi_read_madt(&memory, 0, &found));
    assert_machine_found();

    memset(bytes + RSDP, 0, sizeof(struct rsdp));
    put_rsdp(EBDA + 0x3f0, 0);
    assert_false(acpi_read_madt(&memory, 0, &found));
    bytes[BIOS_EBDA_SEGMENT] = (EBDA >> 4) & 0xff;
    bytes[BIOS_EBDA_SEGMENT + 1] = EBDA >> 12;
    assert_true(acpi_read_madt(&memory, 0, &found));
    assert_machine_found();
}

static void test_interrupts_are_overridden(void **state)
{
    (void)state;
    put_machine(2);
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    for (uint32_t irq = 0; irq < ACPI_ISA_IRQS; irq++) {
        assert_int_equal(found.isa_irqs[irq].gsi, irq == 0 ? 2 : irq);
        assert_int_equal(found.isa_irqs[irq].active_low, irq == 9);
        assert_int_equal(found.isa_irqs[irq].level, irq == 9);
    }
}

static void test_any_changed_byte_is_refused(void **state)
{
    static const struct {
        uint64_t address;
        size_t len;
    } places[] = {
        {RSDP, sizeof(struct rsdp)},
        {XSDT, sizeof(struct acpi_table) + 4 * sizeof(uint64_t)},
        {MADT, sizeof(struct acpi_table) + sizeof(madt_body)},
    };

    (void)state;
    put_machine(2);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (size_t at = 0; at < places[i].len; at++) {
            bytes[places[i].address + at] ^= 0x10;
            assert_false(acpi_read_madt(&memory, RSDP, &found));
            bytes[places[i].address + at] ^= 0x10;
        }
    }
    assert_true(acpi_read_madt(&memory, RSDP, &found));
}

static void test_tables_that_do_not_fit_into_memory_are_refused(void **state)
{
    (void)state;
    put_machine(2);
    for (uint64_t size = RSDP + sizeof(struct rsdp) - 1; size > 0; size = size * 15 / 16) {
        uint8_t *small = malloc(size); /* its end is watched */

        assert_non_null(small);
        memcpy(small, bytes, size);
        memory = (struct physical_memory){small, size};
        assert_false(acpi_read_madt(&memory, RSDP, &found));
        assert_false(acpi_read_madt(&memory, 0, &found));
        free(small);
    }
}

/* The body of a MADT whose second entry lies about its length. */
static void test_an_entry_that_does_not_fit_ends_the_table(void **state)
{
    static const uint8_t lengths[] = {0, 1, 13, 255};
    uint8_t body[8 + 12 + 12];

    (void)state;
    put_machine(2);
    for (size_t i = 0; i < sizeof(lengths); i++) {
        memcpy(body, madt_body, 8);
        memcpy(body + 8, madt_body + 16, 12);
        memcpy(body + 20, madt_body + 16, 12);
        body[21] = lengths[i];
        put_table(MADT, "APIC", body, sizeof(body));
        assert_true(acpi_read_madt(&memory, RSDP, &found));
        assert_int_equal(found.io_apic_count, 1);
    }
}

static void test_an_entry_too_short_for_its_type_is_left_out(void **state)
{
    static const uint8_t body[] = {0, 0, 0xe0, 0xfe, 0, 0, 0, 0, 1, 4, 0,
                                   0, 2, 9,    0,    3, 7, 0, 0, 0, 2};

    (void)state;
    put_machine(2);
    put_table(MADT, "APIC", body, sizeof(body));
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_int_equal(found.io_apic_count, 0);
    assert_int_equal(found.isa_irqs[3].gsi, 3);
}

static void test_a_table_without_entries_or_fields(void **state)
{
    (void)state;
    put_machine(2);
    put_table(MADT, "APIC", madt_body, 8);
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_int_equal(found.io_apic_count, 0);
    put_table(MADT, "APIC", madt_body, 7);
    assert_false(acpi_read_madt(&memory, RSDP, &found));
}

/* A table of processors only. */
static void put_processors(const uint8_t *entries, size_t len)
{
    uint8_t body[8 + 256] = {0};

    assert_true(len <= 256);
    memcpy(body + 8, entries, len);
    put_machine(2);
    put_table(MADT, "APIC", body, 8 + len);
    assert_true(acpi_read_madt(&memory, RSDP, &found));
}

static void test_enabled_processors_are_found_in_order(void **state)
{
    static const uint8_t entries[] = {
        0, 8,  0, 4,    1,    0,    0,    0, /* local APIC 4 */
        0, 8,  1, 5,    0,    0,    0,    0, /* not enabled */
        0, 8,  2, 6,    2,    0,    0,    0, /* ... but might be some day */
        0, 8,  3, 2,    1,    0,    0,    0, /* 2 */
        9, 16, 0, 0,    0,    1,    0,    0,    1, 0, 0, 0, 9, 0, 0, 0, /* x2APIC 256 */
        9, 16, 0, 0,    1,    1,    0,    0,    0, 0, 0, 0, 9, 0, 0, 0, /* 257, not enabled */
        0, 8,  5, 0xff, 1,    0,    0,    0,                            /* everybody's number */
        9, 16, 0, 0,    0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 9, 0, 0, 0,
        9, 16, 0, 0,    4,    0,    0,    0,    1, 0, 0, 0, 9, 0, 0, 0, /* 4 again */
        0, 8,  5, 0,    5,    0,    0,    0, /* 0, with a flag of the future */
    };
    static const uint32_t expected[] = {4, 2, 256, 0};

    (void)state;
    put_processors(entries, sizeof(entries));
    assert_int_equal(found.cpu_count, 4);
    assert_memory_equal(found.cpus, expected, sizeof(expected));
}

static void test_a_processor_too_short_for_its_type_is_left_out(void **state)
{
    static const uint8_t entries[] = {0, 7, 0, 4, 1, 0, 0, 9, 8, 0, 0, 1,
                                      0, 0, 0, 0, 8, 3, 2, 1, 0, 0, 0};

    (void)state;
    put_processors(entries, sizeof(entries));
    assert_int_equal(found.cpu_count, 1);
    assert_int_equal(found.cpus[0], 2);
}

static void test_more_processors_than_the_kernel_knows(void **state)
{
    uint8_t body[8 + 8 * (ACPI_CPUS + 3)] = {0};

    (void)state;
    put_machine(2);
    for (uint8_t i = 0; i < ACPI_CPUS + 3; i++)
        memcpy(body + 8 + 8 * i, (uint8_t[]){0, 8, i, i, 1, 0, 0, 0}, 8);
    put_table(MADT, "APIC", body, sizeof(body));
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_int_equal(found.cpu_count, ACPI_CPUS);
    assert_int_equal(found.cpus[ACPI_CPUS - 1], ACPI_CPUS - 1);
}

static void test_more_controllers_than_the_kernel_knows(void **state)
{
    uint8_t body[8 + 12 * (ACPI_IO_APICS + 3)];

    (void)state;
    put_machine(2);
    memcpy(body, madt_body, 8);
    for (size_t i = 0; i < ACPI_IO_APICS + 3; i++)
        memcpy(body + 8 + 12 * i, madt_body + 16, 12);
    put_table(MADT, "APIC", body, sizeof(body));
    assert_true(acpi_read_madt(&memory, RSDP, &found));
    assert_int_equal(found.io_apic_count, ACPI_IO_APICS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_tables_of_both_revisions_are_found),
        TEST(test_revision_2_without_an_extended_table_uses_the_other),
        TEST(test_the_root_pointer_is_searched),
        TEST(test_interrupts_are_overridden),
        TEST(test_any_changed_byte_is_refused),
        TEST(test_tables_that_do_not_fit_into_memory_are_refused),
        TEST(test_an_entry_that_does_not_fit_ends_the_table),
        TEST(test_an_entry_too_short_for_its_type_is_left_out),
        TEST(test_a_table_without_entries_or_fields),
        TEST(test_enabled_processors_are_found_in_order),
        TEST(test_a_processor_too_short_for_its_type_is_left_out),
        TEST(test_more_processors_than_the_kernel_knows),
        TEST(test_more_controllers_than_the_kernel_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
