/*
 * boot_info.c - keeps what the boot loader said, in one form whichever it was.
 *
 * Refuses to point into memory that the loader used: everything is a copy, for that memory is
 * given away later.
 */
#include "boot_info.h"

#include "boot_id.h"
#include "memory_layout.h"
#include "multiboot2.h"
#include "pvh.h"

static struct boot_report boot;

static const struct {
    uint32_t magic;
    const char *name; /* of a loader that does not tell its own */
    void (*read)(const struct physical_memory *memory, uint64_t address,
                 struct boot_report *report);
} protocols[] = {
    {MULTIBOOT2_LOADED, "multiboot2", multiboot2_read},
    {PVH_LOADED, "PVH", pvh_read},
};

void boot_report_range(struct boot_report *report, uint64_t start, uint64_t bytes, uint32_t type)
{
    struct arch_memory_range *range = &report->raw[report->raw_count];

    if (report->raw_count == BOOT_RAW_RANGES || bytes == 0)
        return;
    range->start = start;
    range->end = bytes > UINT64_MAX - start ? UINT64_MAX : start + bytes;
    range->kind = type >= ARCH_MEMORY_USABLE && type <= ARCH_MEMORY_BAD
                      ? (enum arch_memory_kind)type
                      : ARCH_MEMORY_RESERVED;
    report->raw_count++;
}

void boot_report_module(struct boot_report *report, const struct physical_memory *memory,
                        uint64_t start, uint64_t end, uint64_t name)
{
    struct arch_boot_module *module = &report->info.modules[report->info.module_count];

    if (report->info.module_count == ARCH_BOOT_MODULES || end < start)
        return;
    module->start = start;
    module->end = end;
    physical_text(memory, name, module->name, sizeof(module->name));
    report->info.module_count++;
}

/* Fill an empty report. */
static void read_report(uint32_t magic, const struct physical_memory *memory, uint64_t physical,
                        struct boot_report *report)
{
    report->info.loader = "unknown";
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        if (protocols[i].magic != magic)
            continue;
        protocols[i].read(memory, physical, report);
        report->info.loader = report->loader[0] ? report->loader : protocols[i].name;
    }
    report->info.range_count = memory_map_normalise(report->raw, report->raw_count,
                                                    report->info.ranges, ARCH_MEMORY_RANGES);
}

void boot_info_init(uint32_t magic, uint64_t physical)
{
    const struct physical_memory memory = {direct(0), BOOT_MAPPED};

    read_report(magic, &memory, physical, &boot);
    if (boot.rsdp_bytes)
        boot.info.acpi_root = image_physical(boot.rsdp);
    boot_id_init(&boot, sizeof(boot));
}

const struct arch_boot_info *arch_boot_info(void)
{
    return &boot.info;
}
