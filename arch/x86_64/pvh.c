/*
 * pvh.c - reads what a loader of the PVH boot protocol left.
 */
#include "pvh.h"

static void add_modules(const struct physical_memory *memory, const struct pvh_start_info *info,
                        struct boot_report *report)
{
    const struct pvh_module *module;

    for (uint64_t i = 0; i < info->module_count && i < ARCH_BOOT_MODULES; i++) {
        module = physical_at(memory, info->modules + i * sizeof(*module), sizeof(*module));
        if (!module)
            return;
        boot_report_module(report, memory, module->start, module->start + module->bytes,
                           module->command_line);
    }
}

static void add_memory_map(const struct physical_memory *memory, const struct pvh_start_info *info,
                           struct boot_report *report)
{
    const struct pvh_memory_entry *entry;

    for (uint64_t i = 0; i < info->memory_map_count && i < BOOT_RAW_RANGES; i++) {
        entry = physical_at(memory, info->memory_map + i * sizeof(*entry), sizeof(*entry));
        if (!entry)
            return;
        boot_report_range(report, entry->start, entry->bytes, entry->type);
    }
}

void pvh_read(const struct physical_memory *memory, uint64_t address, struct boot_report *report)
{
    const struct pvh_start_info *info =
        physical_at(memory, address, offsetof(struct pvh_start_info, memory_map));

    if (!info || info->magic != PVH_LOADED)
        return;
    physical_text(memory, info->command_line, report->info.command_line,
                  sizeof(report->info).command_line);
    report->info.acpi_root = info->rsdp;
    add_modules(memory, info, report);
    if (info->version >= 1 && physical_at(memory, address, sizeof(*info)))
        add_memory_map(memory, info, report);
}
