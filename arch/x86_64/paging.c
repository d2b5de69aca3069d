/*
 * paging.c - the kernel's page tables (SDM 3A 4.5): who may do what where.
 *
 * Everything is decided by regions.c: the image's sections get their permissions, guard pages are
 * left out, and what is mapped later is added there.  Built once, before other CPUs run.
 */
#include "arch/arch.h"
#include "frames.h"
#include "instructions.h"
#include "memory_layout.h"
#include "regions.h"

#define PAGE_PRESENT  ((uint64_t)1 << 0)
#define PAGE_WRITE    ((uint64_t)1 << 1)
#define PAGE_UNCACHED ((uint64_t)3 << 3) /* PWT | PCD: strong uncacheable in the default PAT */
#define PAGE_LARGE    ((uint64_t)1 << 7)
#define PAGE_NX       ((uint64_t)1 << 63)
#define PAGE_FRAME    0x000ffffffffff000u

#define EFER_NXE ((uint64_t)1 << 11)

enum paging_sizes {
    ENTRIES = 512,
    LEVELS = 4,
    LARGE_PAGE_BYTES = 2 << 20,
    PAGE_BYTES = ARCH_PAGE_BYTES,
};

static struct {
    uint64_t root;        /* physical */
    uint64_t no_execute;  /* PAGE_NX, or 0 where the processor has none */
    uint64_t window_next; /* the first unused address of the window */
    uint64_t *patch_entry;
    uint64_t patch_address;
} paging = {.window_next = WINDOW};

extern const uint8_t __text_start[], __rodata_end[];

/* The table that `entry` points to; made if it is absent.  NULL if memory is short. */
static uint64_t *next_table(uint64_t *entry)
{
    if ((*entry & PAGE_PRESENT) == 0) {
        uint64_t frame = frame_take();

        if (frame == 0)
            return NULL;
        *entry = frame | PAGE_PRESENT | PAGE_WRITE;
    }
    return direct(*entry & PAGE_FRAME);
}

static size_t table_index(uint64_t address, unsigned level)
{
    return address >> (12 + 9 * level) & (ENTRIES - 1);
}

/* The entry for `address` in the table of `level` (0: pages, 1: large pages), or NULL. */
static uint64_t *entry_of(uint64_t address, unsigned level)
{
    uint64_t *table = direct(paging.root);

    for (unsigned i = LEVELS - 1; i > level && table != NULL; i--)
        table = next_table(&table[table_index(address, i)]);
    return table != NULL ? &table[table_index(address, level)] : NULL;
}

static uint64_t entry_flags(unsigned permissions)
{
    uint64_t flags = PAGE_PRESENT;

    if ((permissions & CRASH_MAP_WRITE) != 0)
        flags |= PAGE_WRITE;
    if ((permissions & CRASH_MAP_EXECUTE) == 0)
        flags |= paging.no_execute;
    return flags;
}

/* Map [start, end) to physical memory from `physical` on, in small pages.  False if short. */
static bool map_range(uint64_t start, uint64_t end, uint64_t physical, uint64_t flags)
{
    for (uint64_t address = start; address < end; address += PAGE_BYTES) {
        uint64_t *entry = entry_of(address, 0);

        if (entry == NULL)
            return false;
        *entry = (physical + (address - start)) | flags;
        invlpg(address);
    }
    return true;
}

static void map_image(void)
{
    const struct region *region;

    for (size_t i = 0; (region = region_at(i)) != NULL; i++) {
        if (region->permissions != 0)
            (void)map_range(region->start, region->end, region->start - KERNEL_BASE,
                            entry_flags(region->permissions));
    }
    for (size_t i = 0; (region = region_at(i)) != NULL; i++) {
        if (region->permissions == 0)
            *entry_of(region->start, 0) = 0; /* guards are one page */
    }
}

/* Guards and read-only pages of the image are no weaker through the direct map. */
static uint64_t direct_flags(uint64_t physical)
{
    uint64_t address = KERNEL_BASE + physical;
    bool constant =
        (uint64_t)(uintptr_t)__text_start <= address && address < (uint64_t)(uintptr_t)__rodata_end;

    return entry_flags(constant ? CRASH_MAP_READ : CRASH_MAP_READ | CRASH_MAP_WRITE);
}

static bool near_image(uint64_t physical)
{
    uint64_t start = image_physical(__text_start), end = image_physical(__rodata_end);

    return physical < end && physical + LARGE_PAGE_BYTES > start;
}

/* Map physical [start, end) where the direct map shows it, in large pages where possible. */
static void map_direct(uint64_t start, uint64_t end)
{
    uint64_t at = start;

    while (at < end) {
        bool large = at % LARGE_PAGE_BYTES == 0 && end - at >= LARGE_PAGE_BYTES && !near_image(at);
        uint64_t *entry = entry_of(DIRECT_MAP + at, large ? 1 : 0);

        if (entry == NULL)
            return;
        *entry = at | direct_flags(at) | (large ? PAGE_LARGE : 0);
        at += large ? LARGE_PAGE_BYTES : PAGE_BYTES;
    }
}

/* Reserved ranges may be devices, which no copy must touch by surprise; but firmware puts its
 * tables into small ones right behind usable memory. */
static bool is_memory(const struct arch_memory_range *range, uint64_t memory_end)
{
    enum { TABLES_BYTES = 64 << 20 };

    if (range->kind == ARCH_MEMORY_BAD)
        return false;
    return range->kind != ARCH_MEMORY_RESERVED ||
           (range->start <= memory_end && range->end - range->start <= TABLES_BYTES);
}

static void map_physical_memory(void)
{
    const struct arch_boot_info *info = arch_boot_info();
    uint64_t memory_end = 1 << 20; /* the first megabyte always: the firmware's areas are there */

    map_direct(0, memory_end);
    for (size_t i = 0; i < info->range_count; i++) {
        const struct arch_memory_range *range = &info->ranges[i];
        uint64_t start = range->start < memory_end ? memory_end : range->start;

        if (!is_memory(range, memory_end) || start >= range->end)
            continue;
        start &= ~(uint64_t)(PAGE_BYTES - 1);
        memory_end = (range->end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
        map_direct(start, memory_end);
        region_add(DIRECT_MAP + start, DIRECT_MAP + memory_end, CRASH_MAP_DIRECT,
                   CRASH_MAP_READ | CRASH_MAP_WRITE, "physical memory");
    }
}

/* `bytes` of the window with an unmapped page behind (and, from the one before, in front). */
static uint64_t window_take(size_t bytes)
{
    uint64_t address = paging.window_next + PAGE_BYTES;

    if (bytes > KERNEL_BASE - address - PAGE_BYTES)
        return 0;
    paging.window_next = address + ((bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1));
    return address;
}

void arch_init_memory(void)
{
    paging.no_execute = (rdmsr(MSR_EFER) & EFER_NXE) != 0 ? PAGE_NX : 0;
    paging.root = frame_take();
    map_image();
    map_physical_memory();
    paging.patch_address = window_take(PAGE_BYTES);
    paging.patch_entry = entry_of(paging.patch_address, 0);
    write_cr3(paging.root);
}

void *arch_map_pages(size_t bytes, enum crash_map_kind kind, const char *name)
{
    uint64_t start = window_take(bytes), end = paging.window_next;
    unsigned permissions = CRASH_MAP_READ | CRASH_MAP_WRITE;

    if (start == 0)
        return NULL;
    for (uint64_t address = start; address < end; address += PAGE_BYTES) {
        uint64_t frame = frame_take();

        if (frame == 0 ||
            !map_range(address, address + PAGE_BYTES, frame, entry_flags(permissions)))
            return NULL;
    }
    region_add(start, end, kind, permissions, name);
    if (kind == CRASH_MAP_STACK)
        region_add(start - PAGE_BYTES, start, CRASH_MAP_GUARD, 0, name);
    return (void *)(uintptr_t)start;
}

volatile void *map_device(uint64_t physical, size_t bytes, const char *name)
{
    uint64_t offset = physical % PAGE_BYTES;
    uint64_t start = window_take(bytes + offset);
    unsigned permissions = CRASH_MAP_READ | CRASH_MAP_WRITE;

    if (start == 0 || !map_range(start, paging.window_next, physical - offset,
                                 entry_flags(permissions) | PAGE_UNCACHED))
        return NULL;
    region_add(start, paging.window_next, CRASH_MAP_DEVICE, permissions, name);
    return (volatile void *)(uintptr_t)(start + offset);
}

size_t arch_copy_from(void *to, uint64_t from, size_t len)
{
    return arch_copy(to, (const void *)(uintptr_t)from, len);
}

static bool is_canonical(uint64_t address)
{
    uint64_t high = address >> 47;

    return high == 0 || high == 0x1ffff;
}

void arch_walk(uint64_t address, struct crash_walk *walk)
{
    uint64_t table = read_cr3() & PAGE_FRAME;

    *walk = (struct crash_walk){
        .address = address, .levels = LEVELS, .canonical = is_canonical(address), .root = table};
    if (!is_canonical(address))
        return;
    for (unsigned level = LEVELS; level-- > 0;) {
        uint64_t span = (uint64_t)1 << (12 + 9 * level);
        const uint64_t *entries = direct(table);
        uint64_t entry;

        if (arch_copy(&entry, &entries[table_index(address, level)], sizeof(entry)) < sizeof(entry))
            return;
        walk->entries[walk->read++] = entry;
        if ((entry & PAGE_PRESENT) == 0)
            return;
        if (level == 0 || (entry & PAGE_LARGE) != 0) {
            walk->mapped = 1;
            walk->physical = (entry & PAGE_FRAME & ~(span - 1)) | (address & (span - 1));
            return;
        }
        table = entry & PAGE_FRAME;
    }
}

/* Copy to physical memory through the one page that is writable only meanwhile. */
static size_t patch_physical(uint64_t physical, const void *from, size_t len)
{
    uint64_t offset = physical % PAGE_BYTES;
    size_t done;

    *paging.patch_entry = (physical - offset) | entry_flags(CRASH_MAP_READ | CRASH_MAP_WRITE);
    invlpg(paging.patch_address);
    done = arch_copy((void *)(uintptr_t)(paging.patch_address + offset), from, len);
    *paging.patch_entry = 0;
    invlpg(paging.patch_address);
    return done;
}

size_t arch_patch(uint64_t to, const void *from, size_t len)
{
    size_t done = arch_copy((void *)(uintptr_t)to, from, len);

    while (done < len) {
        uint64_t address = to + done;
        size_t in_page = (size_t)(PAGE_BYTES - address % PAGE_BYTES);
        size_t chunk = len - done < in_page ? len - done : in_page;
        struct crash_walk walk;
        size_t copied;

        arch_walk(address, &walk);
        if (!walk.mapped || paging.patch_entry == NULL)
            return done;
        copied = patch_physical(walk.physical, (const uint8_t *)from + done, chunk);
        done += copied;
        if (copied < chunk)
            return done;
    }
    /* The iretq that leaves the debugger serialises (SDM 3A 8.1.3): no stale instruction runs. */
    return done;
}
