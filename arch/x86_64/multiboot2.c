/*
 * multiboot2.c - reads what a multiboot2 loader left.
 *
 * Believes no length: a tag that does not fit into the information ends the reading.
 */
#include "multiboot2.h"

/* A tag that is wholly inside `memory`, which ends where the tag ends. */
struct tag_at {
    struct physical_memory memory;
    uint64_t address;
    const struct multiboot2_tag *tag;
};

static void read_command_line(const struct tag_at *at, struct boot_report *report)
{
    physical_text(&at->memory, at->address + sizeof(*at->tag), report->info.command_line,
                  sizeof(report->info).command_line);
}

static void read_loader_name(const struct tag_at *at, struct boot_report *report)
{
    physical_text(&at->memory, at->address + sizeof(*at->tag), report->loader,
                  sizeof(report->loader));
}

static void read_module(const struct tag_at *at, struct boot_report *report)
{
    const struct multiboot2_module *module = (const struct multiboot2_module *)at->tag;

    boot_report_module(report, &at->memory, module->start, module->end,
                       at->address + sizeof(*module));
}

static void read_memory_map(const struct tag_at *at, struct boot_report *report)
{
    const struct multiboot2_memory_map *map = (const struct multiboot2_memory_map *)at->tag;
    const struct multiboot2_memory_entry *entry;
    uint64_t address = at->address + sizeof(*map);

    if (map->entry_size < sizeof(*entry))
        return;
    while ((entry = physical_at(&at->memory, address, sizeof(*entry)))) {
        boot_report_range(report, entry->start, entry->bytes, entry->type);
        address += map->entry_size;
    }
}

static void read_rsdp(const struct tag_at *at, struct boot_report *report)
{
    size_t len = at->tag->size - sizeof(*at->tag);

    if (len > sizeof(report->rsdp))
        len = sizeof(report->rsdp);
    if (len <= report->rsdp_bytes) /* of two, the later version's: it is longer */
        return;
    __builtin_memcpy(report->rsdp, at->tag + 1, len);
    report->rsdp_bytes = len;
}

static const struct {
    uint32_t type;
    uint32_t size; /* at least */
    void (*read)(const struct tag_at *at, struct boot_report *report);
} readers[] = {
    {MULTIBOOT2_COMMAND_LINE, sizeof(struct multiboot2_tag), read_command_line},
    {MULTIBOOT2_LOADER_NAME, sizeof(struct multiboot2_tag), read_loader_name},
    {MULTIBOOT2_MODULE, sizeof(struct multiboot2_module), read_module},
    {MULTIBOOT2_MEMORY_MAP, sizeof(struct multiboot2_memory_map), read_memory_map},
    {MULTIBOOT2_ACPI_1, sizeof(struct multiboot2_tag), read_rsdp},
    {MULTIBOOT2_ACPI_2, sizeof(struct multiboot2_tag), read_rsdp},
};

static void read_tag(const struct tag_at *at, struct boot_report *report)
{
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (readers[i].type == at->tag->type && at->tag->size >= readers[i].size)
            readers[i].read(at, report);
    }
}

void multiboot2_read(const struct physical_memory *memory, uint64_t address,
                     struct boot_report *report)
{
    const struct multiboot2_info *info = physical_at(memory, address, sizeof(*info));
    struct tag_at at = {.memory = *memory, .address = address + sizeof(*info)};
    uint64_t end;

    if (!info || !physical_at(memory, address, info->total_size))
        return;
    end = address + info->total_size;
    for (;;) {
        at.memory.size = end;
        at.tag = physical_at(&at.memory, at.address, sizeof(*at.tag));
        if (!at.tag || at.tag->type == MULTIBOOT2_END || at.tag->size < sizeof(*at.tag) ||
            !physical_at(&at.memory, at.address, at.tag->size))
            return;
        at.memory.size = at.address + at.tag->size;
        read_tag(&at, report);
        at.address = (at.memory.size + MULTIBOOT2_ALIGNMENT - 1) & ~(MULTIBOOT2_ALIGNMENT - 1ull);
    }
}
