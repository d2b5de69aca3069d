/*
 * acpi_memory.h - a buffer that plays physical memory with ACPI's tables in it.
 *
 * Includes the files under test; after <cmocka.h>.
 */
#ifndef TESTS_HOST_ACPI_MEMORY_H
#define TESTS_HOST_ACPI_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/acpi.c"
#include "arch/x86_64/acpi_tables.c"

enum test_layout {
    MEMORY_BYTES = 0x100000,
    EBDA = 0x9fc00,
    RSDP = 0xf5a00,
    RSDT = 0x2000,
    XSDT = 0x2100,
    OTHER_TABLE = 0x2200,
    MADT = 0x2300,
    SPCR = 0x2f00,
};

static uint8_t *bytes;
static struct physical_memory memory;

static inline int begin(void **state)
{
    (void)state;
    bytes = calloc(1, MEMORY_BYTES);
    memory = (struct physical_memory){bytes, MEMORY_BYTES};
    return bytes ? 0 : -1;
}

static inline int end(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

/* Make the `len` bytes at `address` sum to zero by the one at `checksum`. */
static inline void seal(uint64_t address, size_t len, size_t checksum)
{
    uint8_t sum = 0;

    bytes[address + checksum] = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[address + i]);
    bytes[address + checksum] = (uint8_t)-sum;
}

static inline void put_table(uint64_t address, const char *signature, const void *body, size_t len)
{
    struct acpi_table table = {.length = (uint32_t)(sizeof(table) + len)};

    memcpy(table.signature, signature, sizeof(table.signature));
    memcpy(bytes + address, &table, sizeof(table));
    memcpy(bytes + address + sizeof(table), body, len);
    seal(address, table.length, offsetof(struct acpi_table, checksum));
}

static inline void put_rsdp(uint64_t address, uint8_t revision)
{
    struct rsdp rsdp = {.signature = "RSD PTR ",
                        .revision = revision,
                        .rsdt = RSDT,
                        .length = sizeof(rsdp),
                        .xsdt = XSDT};

    memcpy(bytes + address, &rsdp, sizeof(rsdp));
    seal(address, RSDP_V1_BYTES, offsetof(struct rsdp, checksum));
    seal(address, sizeof(rsdp), offsetof(struct rsdp, extended_checksum));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
