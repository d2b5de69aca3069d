/*
 * spaces.c - address spaces of user programs: page tables whose upper half is the kernel's.
 *
 * The kernel's half is shared by its root entries, all of which paging.c has made before the first
 * space: what the kernel maps later shows in every space.  Owns tables, never what they map.
 */
#include "arch/arch.h"
#include "frames.h"
#include "instructions.h"
#include "memory_layout.h"
#include "page_tables.h"

enum space_layout {
    USER_ENTRIES = ENTRIES / 2, /* of a root table */
};

/* What a page may be is said by its own entry. */
#define TABLE_FLAGS (PAGE_PRESENT | PAGE_WRITE | PAGE_USER)

uint64_t arch_space_create(void)
{
    const uint64_t *kernel = direct(arch_kernel_space());
    uint64_t root = frame_take();
    uint64_t *entries = direct(root);

    if (root == 0)
        return 0;
    for (size_t i = USER_ENTRIES; i < ENTRIES; i++)
        entries[i] = kernel[i];
    return root;
}

void arch_space_load(uint64_t space)
{
    write_cr3(space);
}

/* Give back all tables that `root` leads to in the user half: depth first, each after those below
 * it; those of level 0 point to pages, which are not ours. */
static void give_tables(uint64_t root)
{
    uint64_t tables[LEVELS] = {[LEVELS - 1] = root};
    size_t next[LEVELS] = {0};
    unsigned level = LEVELS - 1;

    while (level < LEVELS - 1 || next[level] < USER_ENTRIES) {
        uint64_t entry;

        if (next[level] == ENTRIES) {
            frame_give(tables[level++]);
            continue;
        }
        entry = ((const uint64_t *)direct(tables[level]))[next[level]++];
        if ((entry & PAGE_PRESENT) == 0)
            continue;
        level--;
        tables[level] = entry & PAGE_FRAME;
        next[level] = level == 0 ? ENTRIES : 0;
    }
}

void arch_space_destroy(uint64_t space)
{
    give_tables(space);
    frame_give(space);
}

static void require_user_page(uint64_t address)
{
    if (address % PAGE_BYTES != 0 || address < ARCH_USER_START || address >= ARCH_USER_END)
        arch_panic("a page of a user program is outside its half of the addresses");
}

bool arch_space_map(uint64_t space, uint64_t address, uint64_t frame, unsigned permissions)
{
    uint64_t *entry;

    require_user_page(address);
    entry = page_entry(space, address, 0, TABLE_FLAGS);
    if (entry == NULL)
        return false;
    *entry = frame | page_flags(permissions) | PAGE_USER;
    invlpg(address);
    return true;
}

void arch_space_unmap(uint64_t space, uint64_t address)
{
    require_user_page(address);
    if (arch_space_find(space, address, NULL) == 0)
        return; /* nor need there be a table */
    *page_entry(space, address, 0, TABLE_FLAGS) = 0;
    invlpg(address);
}

ARCH_DEBUGGER_PATH void arch_flush_page(uint64_t address)
{
    invlpg(address);
}

ARCH_DEBUGGER_PATH void arch_flush_space(void)
{
    write_cr3(read_cr3());
}
