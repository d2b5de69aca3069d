/*
 * paging.c - the kernel's page tables (SDM 3A 4.5): who may do what where.
 *
 * Everything is decided by regions.c: the image's sections get their permissions, guard pages are
 * left out, and what is mapped later is added there.  Built once, before other CPUs run; later only
 * pages are added.  All of the kernel's half hangs on root entries that exist from then on, so that
 * address spaces can copy them (spaces.c).
 */
#include "arch/arch.h"
#include "frames.h"
#include "instructions.h"
#include "memory_layout.h"
#include "page_tables.h"
#include "regions.h"

#define EFER_NXE ((uint64_t)1 << 11)

enum paging_sizes {
    LARGE_PAGE_BYTES = 2 << 20,
};

/* SDM 3A 2.5, and where CPUID says that they exist (SDM 2A, CPUID). */
enum protection_bits {
    CR4_PGE = 1 << 7,
    CR4_UMIP = 1 << 11,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,

    CPUID_1_EDX_PGE = 1 << 13,
    CPUID_7_EBX_SMEP = 1 << 7,
    CPUID_7_EBX_SMAP = 1 << 20,
    CPUID_7_ECX_UMIP = 1 << 2,
};

/* Of entries that point to tables of the kernel's. */
#define TABLE_FLAGS (PAGE_PRESENT | PAGE_WRITE)

static struct {
    uint64_t root;        /* physical */
    uint64_t no_execute;  /* PAGE_NX, or 0 where the processor has none */
    uint64_t window_next; /* the first unused address of the window */
} paging = {.window_next = WINDOW};

extern const uint8_t __text_start[], __rodata_end[];

/* The table that `entry` points to; made if it is absent.  Two CPUs may want the same one at once:
 * the first to set the entry has made it.  NULL if memory is short. */
static uint64_t *next_table(uint64_t *entry, uint64_t table_flags)
{
    uint64_t value = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    uint64_t frame;

    if ((value & PAGE_PRESENT) != 0)
        return direct(value & PAGE_FRAME);
    frame = frame_take();
    if (frame == 0)
        return NULL;
    if (__atomic_compare_exchange_n(entry, &value, frame | table_flags, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return direct(frame);
    frame_give(frame);
    return direct(value & PAGE_FRAME);
}

uint64_t *page_entry(uint64_t root, uint64_t address, unsigned level, uint64_t table_flags)
{
    uint64_t *table = direct(root);

    for (unsigned i = LEVELS - 1; i > level && table != NULL; i--)
        table = next_table(&table[table_index(address, i)], table_flags);
    return table != NULL ? &table[table_index(address, level)] : NULL;
}

static uint64_t *kernel_entry(uint64_t address, unsigned level)
{
    return page_entry(paging.root, address, level, TABLE_FLAGS);
}

uint64_t page_flags(unsigned permissions)
{
    uint64_t flags = PAGE_PRESENT;

    if ((permissions & CRASH_MAP_WRITE) != 0 && (permissions & CRASH_MAP_EXECUTE) != 0)
        arch_panic("a page is to be both writable and executable");
    if ((permissions & CRASH_MAP_WRITE) != 0)
        flags |= PAGE_WRITE;
    if ((permissions & CRASH_MAP_EXECUTE) == 0)
        flags |= paging.no_execute;
    return flags;
}

static uint64_t kernel_flags(unsigned permissions)
{
    return page_flags(permissions) | PAGE_GLOBAL;
}

/* Map [start, end) to physical memory from `physical` on, in small pages.  False if short. */
static bool map_range(uint64_t start, uint64_t end, uint64_t physical, uint64_t flags)
{
    for (uint64_t address = start; address < end; address += PAGE_BYTES) {
        uint64_t *entry = kernel_entry(address, 0);

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
                            kernel_flags(region->permissions));
    }
    for (size_t i = 0; (region = region_at(i)) != NULL; i++) {
        uint64_t *guard = region->permissions == 0 ? kernel_entry(region->start, 0) : NULL;

        if (guard != NULL)
            *guard = 0; /* they are one page */
    }
}

/* Guards and read-only pages of the image are no weaker through the direct map. */
static uint64_t direct_flags(uint64_t physical)
{
    uint64_t address = KERNEL_BASE + physical;
    bool constant =
        (uint64_t)(uintptr_t)__text_start <= address && address < (uint64_t)(uintptr_t)__rodata_end;

    return kernel_flags(constant ? CRASH_MAP_READ : CRASH_MAP_READ | CRASH_MAP_WRITE);
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
        uint64_t *entry = kernel_entry(DIRECT_MAP + at, large ? 1 : 0);

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

static uint64_t page_up(uint64_t address)
{
    return (address + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
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
        memory_end = page_up(range->end);
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
    paging.window_next = address + page_up(bytes);
    return address;
}

void paging_init_cpu(void)
{
    struct cpuid features = {0, 0, 0, 0};
    uint64_t cr4 = read_cr4();

    if (cpuid(0, 0).eax >= 7)
        features = cpuid(7, 0);
    if ((features.ebx & CPUID_7_EBX_SMEP) != 0)
        cr4 |= CR4_SMEP;
    if ((features.ebx & CPUID_7_EBX_SMAP) != 0)
        cr4 |= CR4_SMAP;
    if ((features.ecx & CPUID_7_ECX_UMIP) != 0)
        cr4 |= CR4_UMIP;
    if ((cpuid(1, 0).edx & CPUID_1_EDX_PGE) != 0)
        cr4 |= CR4_PGE;
    write_cr3(paging.root);
    write_cr4(cr4);
}

void arch_init_memory(void)
{
    uint64_t patch_at;

    paging.no_execute = (rdmsr(MSR_EFER) & EFER_NXE) != 0 ? PAGE_NX : 0;
    paging.root = frame_take();
    map_image();
    map_physical_memory();
    patch_at = window_take(PAGE_BYTES);
    patch_window_init(patch_at, kernel_entry(patch_at, 0),
                      kernel_flags(CRASH_MAP_READ | CRASH_MAP_WRITE));
    paging_init_cpu();
}

ARCH_DEBUGGER_PATH uint64_t arch_kernel_space(void)
{
    return paging.root;
}

void *arch_reserve_pages(size_t bytes, enum crash_map_kind kind, const char *name)
{
    uint64_t start = window_take(bytes);

    if (start == 0)
        return NULL;
    region_add(start, start + page_up(bytes), kind, CRASH_MAP_READ | CRASH_MAP_WRITE, name);
    if (kind == CRASH_MAP_STACK)
        region_add(start - PAGE_BYTES, start, CRASH_MAP_GUARD, 0, name);
    return (void *)(uintptr_t)start;
}

bool arch_back_pages(void *start, size_t bytes)
{
    uint64_t first = (uint64_t)(uintptr_t)start;

    for (uint64_t address = first; address < first + bytes; address += PAGE_BYTES) {
        uint64_t *entry = kernel_entry(address, 0);
        uint64_t frame;

        if (entry == NULL)
            return false;
        if ((*entry & PAGE_PRESENT) != 0)
            continue; /* from a try that ran out of memory */
        frame = frame_take();
        if (frame == 0)
            return false;
        *entry = frame | kernel_flags(CRASH_MAP_READ | CRASH_MAP_WRITE);
    }
    return true;
}

void *arch_map_pages(size_t bytes, enum crash_map_kind kind, const char *name)
{
    void *start = arch_reserve_pages(bytes, kind, name);

    return start != NULL && arch_back_pages(start, bytes) ? start : NULL;
}

volatile void *map_device(uint64_t physical, size_t bytes, const char *name)
{
    uint64_t offset = physical % PAGE_BYTES;
    uint64_t start = window_take(bytes + offset);
    unsigned permissions = CRASH_MAP_READ | CRASH_MAP_WRITE;

    if (start == 0 || !map_range(start, paging.window_next, physical - offset,
                                 kernel_flags(permissions) | PAGE_UNCACHED))
        return NULL;
    region_add(start, paging.window_next, CRASH_MAP_DEVICE, permissions, name);
    return (volatile void *)(uintptr_t)(start + offset);
}
