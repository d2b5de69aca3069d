/*
 * multiboot2.h - what a multiboot2 loader leaves (Multiboot2 Specification 2.0, chapter 3.6).
 *
 * Only the tags that the kernel reads.
 */
#ifndef ARCH_X86_64_MULTIBOOT2_H
#define ARCH_X86_64_MULTIBOOT2_H

#include <stdint.h>

#include "boot_info.h"

#define MULTIBOOT2_LOADED 0x36d76289u /* in EAX at the entry */

enum multiboot2_tag_type {
    MULTIBOOT2_END = 0,
    MULTIBOOT2_COMMAND_LINE = 1,
    MULTIBOOT2_LOADER_NAME = 2,
    MULTIBOOT2_MODULE = 3,
    MULTIBOOT2_MEMORY_MAP = 6,
    MULTIBOOT2_ACPI_1 = 14, /* a copy of the RSDP of ACPI 1 */
    MULTIBOOT2_ACPI_2 = 15, /* of ACPI 2 and later */
    MULTIBOOT2_ALIGNMENT = 8,
};

/* Tags follow, each aligned to 8 bytes. */
struct multiboot2_info {
    uint32_t total_size; /* with this header */
    uint32_t reserved;
} __attribute__((packed));

struct multiboot2_tag {
    uint32_t type;
    uint32_t size; /* with this header, without the padding behind it */
} __attribute__((packed));

struct multiboot2_module {
    struct multiboot2_tag tag;
    uint32_t start, end; /* its command line follows */
} __attribute__((packed));

struct multiboot2_memory_map {
    struct multiboot2_tag tag;
    uint32_t entry_size; /* may grow */
    uint32_t entry_version;
} __attribute__((packed));

struct multiboot2_memory_entry {
    uint64_t start, bytes;
    uint32_t type; /* enum arch_memory_kind has its numbers */
    uint32_t reserved;
} __attribute__((packed));

/* Read the information at physical `address` into the report. */
void multiboot2_read(const struct physical_memory *memory, uint64_t address,
                     struct boot_report *report);

#endif
