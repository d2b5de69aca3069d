/*
 * page_tables.h - entries of page tables (SDM 3A 4.5), for those who make and those who read them.
 */
#ifndef ARCH_X86_64_PAGE_TABLES_H
#define ARCH_X86_64_PAGE_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

#define PAGE_PRESENT  ((uint64_t)1 << 0)
#define PAGE_WRITE    ((uint64_t)1 << 1)
#define PAGE_USER     ((uint64_t)1 << 2)
#define PAGE_UNCACHED ((uint64_t)3 << 3) /* PWT | PCD: strong uncacheable in the default PAT */
#define PAGE_LARGE    ((uint64_t)1 << 7)
#define PAGE_GLOBAL   ((uint64_t)1 << 8) /* the same in every space: outlives a load of CR3 */
#define PAGE_NX       ((uint64_t)1 << 63)
#define PAGE_FRAME    0x000ffffffffff000u

enum page_table_sizes {
    ENTRIES = 512,
    LEVELS = 4,
    PAGE_BYTES = ARCH_PAGE_BYTES,
};

/* Levels are counted from 0, whose tables hold pages, to LEVELS - 1, the root. */
static inline size_t table_index(uint64_t address, unsigned level)
{
    return address >> (12 + 9 * level) & (ENTRIES - 1);
}

/* The entry for `address` in the table of `level` below `root`; the tables on the way to it are
 * made where they are absent, their entries with `table_flags`.  NULL if memory is short.  Any CPU,
 * without a lock. */
uint64_t *page_entry(uint64_t root, uint64_t address, unsigned level, uint64_t table_flags);

/* PAGE_PRESENT and what `permissions` (enum crash_map_permissions) ask for.  Panics if that is both
 * writing and executing. */
uint64_t page_flags(unsigned permissions);

/* Load the kernel's tables on this CPU, with all the protection that it offers: no page of a user's
 * is executed or touched by the kernel (SMEP, SMAP), no table of the kernel's told to a user
 * (UMIP). */
void paging_init_cpu(void);

/* What arch_patch() reaches read-only memory through: a page of its own at `address`, its entry,
 * and the flags of an entry that makes it writable. */
void patch_window_init(uint64_t address, uint64_t *entry, uint64_t flags);

#endif
