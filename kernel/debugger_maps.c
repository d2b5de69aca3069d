/*
 * debugger_maps.c - where GDB looks what to save (gcore, record save), and what to show (info proc
 * mappings).
 *
 * What is not in them: guard pages, at which GDB would give up, and pages of zeros at both ends of
 * stacks and heaps, which are most of them and would have to come over the line.
 */
#include "debugger_maps.h"

#include "arch/arch.h"
#include "debugger_core.h"
#include "debugger_piece.h"
#include "format.h"

enum {
    ROW_BYTES = 128,
};

/* Of a page that is mapped. */
static bool is_blank(uint64_t page)
{
    const volatile uint64_t *words = (const volatile uint64_t *)(uintptr_t)page;

    for (size_t i = 0; i < ARCH_PAGE_BYTES / sizeof(*words); i++) {
        if (words[i] != 0)
            return false;
    }
    return true;
}

static void trim(struct crash_map *map)
{
    if (map->kind != CRASH_MAP_STACK && map->kind != CRASH_MAP_HEAP)
        return;
    while (map->start < map->end && is_blank(map->start))
        map->start += ARCH_PAGE_BYTES;
    while (map->start < map->end && is_blank(map->end - ARCH_PAGE_BYTES))
        map->end -= ARCH_PAGE_BYTES;
}

/* The next mapped part of [map->end, end).  False if there is none. */
static bool next_part(struct crash_map *map, uint64_t end)
{
    map->start = map->end;
    while (map->start < end && !debugger_is_mapped(map->start))
        map->start += ARCH_PAGE_BYTES;
    map->end = map->start;
    while (map->end < end && debugger_is_mapped(map->end))
        map->end += ARCH_PAGE_BYTES;
    return map->start < map->end;
}

static bool is_writable(const struct crash_map *map)
{
    return (map->permissions & CRASH_MAP_WRITE) != 0;
}

/* GDB leaves what is not "Anonymous" out of a core: it is in the ELF file. */
static void put_range(struct debugger_piece *piece, const struct crash_map *map, bool detailed)
{
    uint64_t anonymous = is_writable(map) ? (map->end - map->start) >> 10 : 0;
    char row[ROW_BYTES];

    format_text(row, sizeof(row), "%lx-%lx %c%c%cp 00000000 00:00 0 [%s]\n", map->start, map->end,
                (map->permissions & CRASH_MAP_READ) != 0 ? 'r' : '-', is_writable(map) ? 'w' : '-',
                (map->permissions & CRASH_MAP_EXECUTE) != 0 ? 'x' : '-', map->name);
    debugger_piece_text(piece, row);
    if (!detailed)
        return;
    format_text(row, sizeof(row), "Anonymous: %lu kB\n", anonymous);
    debugger_piece_text(piece, row);
}

static void put_parts(struct debugger_piece *piece, const struct crash_map *whole, bool detailed)
{
    struct crash_map part = *whole;

    part.end = whole->start;
    while (next_part(&part, whole->end)) {
        struct crash_map used = part;

        trim(&used);
        if (used.start < used.end)
            put_range(piece, &used, detailed);
    }
}

size_t debugger_maps_read(void *ctx, const struct gdbstub_object *object, uint64_t offset,
                          void *buf, size_t len)
{
    struct debugger_piece piece = debugger_piece_of(offset, buf, len);
    bool detailed = object->name[sizeof("file/proc/1/") - 1] == 's';
    struct crash_map map;

    (void)ctx;
    for (size_t n = 0; debugger_core_range(&n, &map) && !debugger_piece_full(&piece);)
        put_parts(&piece, &map, detailed);
    return debugger_piece_length(&piece);
}
