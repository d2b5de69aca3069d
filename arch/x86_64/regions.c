/*
 * regions.c - keeps the list of ranges.  Maps nothing itself.
 */
#include "regions.h"

#include "arch/arch.h"

static struct {
    struct region list[REGIONS];
    size_t count;
} regions;

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
    __atomic_store_n(&regions.count, regions.count + 1, __ATOMIC_RELEASE); /* others read */
}

const struct region *region_at(size_t n)
{
    return n < regions.count ? &regions.list[n] : NULL;
}

static uint64_t page_up(uint64_t address)
{
    return (address + ARCH_PAGE_BYTES - 1) & ~(uint64_t)(ARCH_PAGE_BYTES - 1);
}

void regions_add_image(void)
{
    region_add(address_of(__text_start), page_up(address_of(__text_end)), CRASH_MAP_TEXT,
               CRASH_MAP_READ | CRASH_MAP_EXECUTE, "kernel text");
    region_add(address_of(__rodata_start), page_up(address_of(__rodata_end)), CRASH_MAP_RODATA,
               CRASH_MAP_READ, "kernel constants");
    region_add(address_of(__data_start), page_up(address_of(__data_end)), CRASH_MAP_DATA,
               CRASH_MAP_READ | CRASH_MAP_WRITE, "kernel data");
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
