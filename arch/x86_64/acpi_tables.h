/*
 * acpi_tables.h - tables that the firmware has left, by their signatures.
 */
#ifndef ARCH_X86_64_ACPI_TABLES_H
#define ARCH_X86_64_ACPI_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "physical.h"

struct acpi_table {
    char signature[4];
    uint32_t length; /* with this header */
    uint8_t revision;
    uint8_t checksum;
    char oem[6];
    char oem_table[8];
    uint32_t oem_revision;
    uint32_t creator;
    uint32_t creator_revision;
} __attribute__((packed));

/* The first table with that signature, which begins with a struct acpi_table, is whole, and has at
 * least `least` bytes; or NULL.  `rsdp` is the physical address of the root pointer, 0: search it
 * where a BIOS leaves it. */
const void *acpi_find_table(const struct physical_memory *memory, uint64_t rsdp,
                            const char *signature, size_t least);

#endif
