/*
 * walk.c - what page tables say, and memory reached by what they say, for debuggers and records.
 *
 * Follows tables itself, so it sees any address space, and user pages, which the processor keeps
 * from the kernel (SMAP): those are reached through the direct map.  Trusts no entry: each copy may
 * fall short.
 */
#include "arch/arch.h"
#include "instructions.h"
#include "memory_layout.h"
#include "page_tables.h"

/* One CPU at a time uses it: the debugger's, while the others stand still. */
static struct {
    uint64_t address;
    uint64_t *entry; /* NULL: there is none yet */
    uint64_t flags;
} patch_window;

void patch_window_init(uint64_t address, uint64_t *entry, uint64_t flags)
{
    patch_window.address = address;
    patch_window.entry = entry;
    patch_window.flags = flags;
}

static bool is_canonical(uint64_t address)
{
    uint64_t high = address >> 47;

    return high == 0 || high == 0x1ffff;
}

static bool in_user_half(uint64_t address)
{
    return address >> 63 == 0;
}

uint64_t arch_space_current(void)
{
    return read_cr3() & PAGE_FRAME;
}

void arch_space_walk(uint64_t space, uint64_t address, struct crash_walk *walk)
{
    uint64_t table = space;

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

void arch_walk(uint64_t address, struct crash_walk *walk)
{
    arch_space_walk(arch_space_current(), address, walk);
}

uint64_t arch_space_find(uint64_t space, uint64_t address, unsigned *permissions)
{
    struct crash_walk walk;
    uint64_t entry;

    arch_space_walk(space, address, &walk);
    if (!walk.mapped)
        return 0;
    entry = walk.entries[walk.read - 1];
    if (!in_user_half(address) || (entry & PAGE_USER) == 0)
        return 0;
    if (permissions != NULL)
        *permissions = CRASH_MAP_READ | ((entry & PAGE_WRITE) != 0 ? CRASH_MAP_WRITE : 0u) |
                       ((entry & PAGE_NX) == 0 ? CRASH_MAP_EXECUTE : 0u);
    return walk.physical & ~(uint64_t)(PAGE_BYTES - 1);
}

/* What is left of `len` bytes in the page of `address`. */
static size_t in_page(uint64_t address, size_t len)
{
    size_t rest = (size_t)(PAGE_BYTES - address % PAGE_BYTES);

    return len < rest ? len : rest;
}

static size_t read_page(uint64_t physical, uint8_t *to, size_t len)
{
    return arch_copy(to, direct(physical), len);
}

/* Write what lies in one page, through the page that is mapped only meanwhile. */
static size_t patch_physical(uint64_t physical, const uint8_t *from, size_t len)
{
    uint64_t offset = physical % PAGE_BYTES;
    size_t done;

    if (patch_window.entry == NULL)
        return 0;
    *patch_window.entry = (physical - offset) | patch_window.flags;
    invlpg(patch_window.address);
    done = arch_copy((void *)(uintptr_t)(patch_window.address + offset), from, len);
    *patch_window.entry = 0;
    invlpg(patch_window.address);
    return done;
}

/* The direct map shows the kernel's text and constants read-only. */
static size_t write_page(uint64_t physical, uint8_t *from, size_t len)
{
    size_t done = arch_copy(direct(physical), from, len);

    return done == len ? done : done + patch_physical(physical + done, from + done, len - done);
}

/* Apply `access` to each page of [address, address + len), and to its share of `buffer`.  Returns
 * the bytes done. */
static size_t for_each_page(uint64_t space, uint64_t address, uint8_t *buffer, size_t len,
                            size_t (*access)(uint64_t physical, uint8_t *buffer, size_t len))
{
    size_t done = 0;

    while (done < len) {
        size_t chunk = in_page(address + done, len - done);
        struct crash_walk walk;
        size_t copied;

        arch_space_walk(space, address + done, &walk);
        if (!walk.mapped)
            break;
        copied = access(walk.physical, buffer + done, chunk);
        done += copied;
        if (copied < chunk)
            break;
    }
    return done;
}

size_t arch_space_read(uint64_t space, void *to, uint64_t address, size_t len)
{
    if (in_user_half(address))
        return for_each_page(space, address, to, len, read_page);
    return arch_copy(to, (const void *)(uintptr_t)address, len);
}

size_t arch_space_patch(uint64_t space, uint64_t address, const void *from, size_t len)
{
    uint8_t *bytes = (uint8_t *)(uintptr_t)from; /* write_page() leaves them as they are */
    size_t done = 0;

    if (!in_user_half(address))
        done = arch_copy((void *)(uintptr_t)address, from, len);
    /* The iretq that leaves the debugger serialises (SDM 3A 8.1.3): no stale instruction runs. */
    return done + for_each_page(space, address + done, bytes + done, len - done, write_page);
}

size_t arch_copy_from(void *to, uint64_t from, size_t len)
{
    return arch_space_read(arch_space_current(), to, from, len);
}

size_t arch_patch(uint64_t to, const void *from, size_t len)
{
    return arch_space_patch(arch_space_current(), to, from, len);
}
