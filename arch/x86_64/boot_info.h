/*
 * boot_info.h - from what a boot loader left to struct arch_boot_info.
 *
 * Protocols (multiboot2.c, pvh.c) put what they find into a report; boot_info.c owns the one of
 * this boot.
 */
#ifndef ARCH_X86_64_BOOT_INFO_H
#define ARCH_X86_64_BOOT_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "physical.h"

enum boot_report_limits {
    BOOT_LOADER_NAME_BYTES = 64,
    BOOT_RAW_RANGES = 256,
    BOOT_RSDP_BYTES = 36,
};

struct boot_report {
    struct arch_boot_info info;
    char loader[BOOT_LOADER_NAME_BYTES];
    struct arch_memory_range raw[BOOT_RAW_RANGES]; /* the memory map as it was found */
    size_t raw_count;
    uint8_t rsdp[BOOT_RSDP_BYTES]; /* the loader's copy, if it left no address */
    size_t rsdp_bytes;
};

/* Copy everything the kernel needs from where the loader left it.  `magic` says which protocol it
 * was; once, first thing in long mode. */
void boot_info_init(uint32_t magic, uint64_t physical);

/* For the protocols: add a range of the memory map, of a type numbered as in ACPI's E820 map, or
 * a module, whose name is at physical address `name`.  What does not fit, or ends before it starts,
 * is left out. */
void boot_report_range(struct boot_report *report, uint64_t start, uint64_t bytes, uint32_t type);
void boot_report_module(struct boot_report *report, const struct physical_memory *memory,
                        uint64_t start, uint64_t end, uint64_t name);

/* Make sorted, disjoint ranges of raw[count]: where several overlap, the least usable kind holds.
 * Returns how many ranges were written, at most `max`; what lies above them is left out. */
size_t memory_map_normalise(const struct arch_memory_range *raw, size_t count,
                            struct arch_memory_range *ranges, size_t max);

#endif
