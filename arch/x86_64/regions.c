/*
 * regions.c - keeps the list of ranges, and owns the first CPU's stacks.  Maps nothing itself.
 */
#include "regions.h"

#include "arch/arch.h"
#include "descriptors.h"
#include "frame.h"
#include "memory_layout.h"

enum stack_bytes {
    IST_STACK_BYTES = 8 * 1024,
    PURPOSE_STACK_BYTES = 16 * 1024,
};

/* Each grows down into its guard page, which paging.c takes away. */
static struct {
    struct {
        uint8_t guard[ARCH_PAGE_BYTES];
        uint8_t memory[IST_STACK_BYTES];
    } ist[IST_SLOTS];
    struct {
        uint8_t guard[ARCH_PAGE_BYTES];
        uint8_t memory[PURPOSE_STACK_BYTES];
    } purpose[ARCH_STACK_PURPOSES];
} stacks __attribute__((aligned(ARCH_PAGE_BYTES)));

static struct {
    struct region list[REGIONS];
    size_t count;
} regions;

static const char *const ist_names[IST_SLOTS] = {
    [IST_NMI - 1] = "NMI entry stack",
    [IST_DOUBLE_FAULT - 1] = "double fault stack",
    [IST_MACHINE_CHECK - 1] = "machine check stack",
    [IST_DEBUG - 1] = "debug exception stack",
    [IST_BREAKPOINT - 1] = "breakpoint stack",
};

static const char *const purpose_names[ARCH_STACK_PURPOSES] = {
    [ARCH_STACK_DEBUGGER] = "debugger stack",
    [ARCH_STACK_FATAL] = "fatal stack",
    [ARCH_STACK_EXCEPTION] = "exception stack",
    [ARCH_STACK_NMI] = "NMI stack",
};

/* boot.asm */
extern uint8_t boot_stack[], boot_stack_top[];

/* kernel.ld */
extern const uint8_t __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern uint8_t __data_start[], __data_end[];

static uint64_t address_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

void region_add(uint64_t start, uint64_t end, enum crash_map_kind kind, unsigned permissions,
                const char *name)
{
    if (regions.count == REGIONS)
        return;
    regions.list[regions.count] = (struct region){start, end, kind, permissions, name};
    regions.count++;
}

const struct region *region_at(size_t n)
{
    return n < regions.count ? &regions.list[n] : NULL;
}

static void add_stack(const uint8_t *bottom, size_t bytes, const char *name)
{
    uint64_t start = address_of(bottom);

    region_add(start, start + bytes, CRASH_MAP_STACK, CRASH_MAP_READ | CRASH_MAP_WRITE, name);
    region_add(start - ARCH_PAGE_BYTES, start, CRASH_MAP_GUARD, 0, name);
}

static uint64_t page_up(uint64_t address)
{
    return (address + ARCH_PAGE_BYTES - 1) & ~(uint64_t)(ARCH_PAGE_BYTES - 1);
}

/* Stacks and guards first: they lie inside the data section, and the first match counts. */
void regions_init(void)
{
    add_stack(boot_stack, (size_t)(boot_stack_top - boot_stack), "boot stack");
    for (size_t i = 0; i < IST_SLOTS; i++)
        add_stack(stacks.ist[i].memory, IST_STACK_BYTES, ist_names[i]);
    for (size_t i = 0; i < ARCH_STACK_PURPOSES; i++)
        add_stack(stacks.purpose[i].memory, PURPOSE_STACK_BYTES, purpose_names[i]);

    region_add(address_of(__text_start), page_up(address_of(__text_end)), CRASH_MAP_TEXT,
               CRASH_MAP_READ | CRASH_MAP_EXECUTE, "kernel text");
    region_add(address_of(__rodata_start), page_up(address_of(__rodata_end)), CRASH_MAP_RODATA,
               CRASH_MAP_READ, "kernel constants");
    region_add(address_of(__data_start), page_up(address_of(__data_end)), CRASH_MAP_DATA,
               CRASH_MAP_READ | CRASH_MAP_WRITE, "kernel data");
}

uint64_t ist_stack_top(unsigned slot)
{
    return address_of(stacks.ist[slot - 1].memory) + IST_STACK_BYTES;
}

uint64_t purpose_stack_top(enum arch_stack_purpose purpose)
{
    return address_of(stacks.purpose[purpose].memory) + PURPOSE_STACK_BYTES;
}

static bool is_on(uint64_t address, uint64_t top, size_t bytes)
{
    return top - bytes <= address && address < top;
}

static bool is_on_ist(uint64_t address, unsigned slot)
{
    return is_on(address, ist_stack_top(slot), IST_STACK_BYTES);
}

bool is_on_purpose_stack(uint64_t address, enum arch_stack_purpose purpose)
{
    return is_on(address, purpose_stack_top(purpose), PURPOSE_STACK_BYTES);
}

bool is_emergency_stack(uint64_t address)
{
    return address_of(&stacks) <= address && address < address_of(&stacks + 1);
}

bool arch_in_debug_trap(const struct trap_frame *frame)
{
    return is_on_ist(frame->rsp, IST_DEBUG) || is_on_ist(frame->rsp, IST_BREAKPOINT);
}

bool arch_in_trap(const struct trap_frame *frame)
{
    return is_emergency_stack(frame->rsp);
}

static bool contains(const struct region *region, uint64_t address)
{
    return region->start <= address && address < region->end;
}

bool arch_find_stack(uint64_t address, struct arch_stack *stack)
{
    for (size_t i = 0; i < regions.count; i++) {
        const struct region *region = &regions.list[i];

        if (region->kind == CRASH_MAP_STACK && contains(region, address)) {
            *stack = (struct arch_stack){region->start, region->end, region->name};
            return true;
        }
    }
    return false;
}

/* Names are cut to fit and NUL-terminated. */
static void copy_name(char *to, const char *from, size_t size)
{
    size_t i = 0;

    for (; i + 1 < size && from[i] != '\0'; i++)
        to[i] = from[i];
    for (; i < size; i++)
        to[i] = '\0';
}

bool arch_map_entry(size_t n, struct crash_map *entry)
{
    const struct region *region = region_at(n);

    if (region == NULL)
        return false;
    entry->start = region->start;
    entry->end = region->end;
    entry->kind = (uint16_t)region->kind;
    entry->permissions = (uint16_t)region->permissions;
    entry->captured = CRASH_CAPTURED_NO;
    copy_name(entry->name, region->name, sizeof(entry->name));
    return true;
}
