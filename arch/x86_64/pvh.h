/*
 * pvh.h - what a loader of the PVH boot protocol leaves: QEMU's -kernel, Xen
 * (Xen's docs/misc/pvh.pandoc and include/public/arch-x86/hvm/start_info.h).
 */
#ifndef ARCH_X86_64_PVH_H
#define ARCH_X86_64_PVH_H

#include <stdint.h>

#include "boot_info.h"

#define PVH_LOADED 0x336ec578u /* the first word of struct pvh_start_info */

/* Addresses are physical; 0: there is none. */
struct pvh_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules; /* of struct pvh_module */
    uint64_t command_line;
    uint64_t rsdp;
    uint64_t memory_map; /* of struct pvh_memory_entry; from version 1 on, as what follows */
    uint32_t memory_map_count;
    uint32_t reserved;
} __attribute__((packed));

struct pvh_module {
    uint64_t start, bytes;
    uint64_t command_line;
    uint64_t reserved;
} __attribute__((packed));

struct pvh_memory_entry {
    uint64_t start, bytes;
    uint32_t type; /* enum arch_memory_kind has its numbers */
    uint32_t reserved;
} __attribute__((packed));

/* Read the information at physical `address` into the report. */
void pvh_read(const struct physical_memory *memory, uint64_t address, struct boot_report *report);

#endif
