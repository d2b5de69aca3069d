/*
 * crash_memory.c - MAPS, MEMR and TEXT.
 *
 * Decides by the record's scope what of memory is stored; where it goes is not known here.
 */
#include "crash_memory.h"

#include "arch/arch.h"
#include "crash_guard.h"
#include "crash_regions.h"
#include "crash_stack.h"
#include "debugger.h"
#include "format.h"

enum { TAG_MEMR = CRASH_TAG('M', 'E', 'M', 'R') };

static bool is_stored(const struct crash_scene *scene, const struct crash_region *region)
{
    return region->class == CRASH_REGION_SMALL ||
           (region->class == CRASH_REGION_LARGE && scene->scope >= CRASH_SCOPE_DATA);
}

static bool is_kept(const struct crash_scene *scene, const struct crash_map *map)
{
    if (map->kind == CRASH_MAP_DIRECT)
        return scene->scope >= CRASH_SCOPE_ALL;
    return scene->scope >= CRASH_SCOPE_DATA &&
           (map->kind == CRASH_MAP_DATA || map->kind == CRASH_MAP_HEAP ||
            map->kind == CRASH_MAP_STACK);
}

/* ---- MAPS ---- */

static uint32_t captured(const struct crash_scene *scene, const struct crash_map *map)
{
    struct crash_stack stack = crash_find_stack(scene->trap->frame);

    if (map->kind == CRASH_MAP_TEXT || map->kind == CRASH_MAP_RODATA)
        return CRASH_CAPTURED_IN_FILE;
    if (is_kept(scene, map))
        return CRASH_CAPTURED_YES;
    if (stack.start >= map->start && stack.start < map->end)
        return CRASH_CAPTURED_PARTLY;
    return CRASH_CAPTURED_NO;
}

static uint32_t region_captured(const struct crash_scene *scene, const struct crash_region *region)
{
    if (region->class == CRASH_REGION_SECRET)
        return CRASH_CAPTURED_SECRET;
    return is_stored(scene, region) ? CRASH_CAPTURED_YES : CRASH_CAPTURED_NO;
}

static const char *memory_name(enum arch_memory_kind kind)
{
    static const char *const names[] = {
        [ARCH_MEMORY_USABLE] = "usable memory", [ARCH_MEMORY_RESERVED] = "reserved memory",
        [ARCH_MEMORY_ACPI] = "ACPI tables",     [ARCH_MEMORY_NVS] = "firmware's memory",
        [ARCH_MEMORY_BAD] = "bad memory",
    };

    return kind < sizeof names / sizeof names[0] && names[kind] != NULL ? names[kind] : "unknown";
}

static void append_map(struct crash_writer *writer, struct crash_map map, const char *name)
{
    format_text(map.name, sizeof map.name, "%s", name);
    crash_append(writer, &map, sizeof map);
}

/* Registered regions first: they lie inside others, and the first match counts. */
void crash_gather_maps(struct crash_writer *writer, const struct crash_scene *scene)
{
    const struct arch_boot_info *boot = arch_boot_info();
    const struct crash_region *region;
    struct crash_map map;

    for (size_t i = 0; (region = crash_region_at(i)) != NULL; i++)
        append_map(writer,
                   (struct crash_map){.start = region->start,
                                      .end = region->end,
                                      .kind = CRASH_MAP_DATA,
                                      .permissions = CRASH_MAP_READ | CRASH_MAP_WRITE,
                                      .captured = region_captured(scene, region)},
                   region->name);
    for (size_t i = 0; arch_map_entry(i, &map); i++) {
        map.captured = captured(scene, &map);
        crash_append(writer, &map, sizeof map);
    }
    for (size_t i = 0; i < boot->range_count; i++)
        append_map(writer,
                   (struct crash_map){.start = boot->ranges[i].start,
                                      .end = boot->ranges[i].end,
                                      .kind = CRASH_MAP_PHYSICAL},
                   memory_name(boot->ranges[i].kind));
}

/* ---- MEMR ---- */

bool crash_wants_memory(const struct crash_scene *scene)
{
    const struct crash_region *region;

    for (size_t i = 0; (region = crash_region_at(i)) != NULL; i++) {
        if (is_stored(scene, region))
            return true;
    }
    return scene->scope >= CRASH_SCOPE_DATA;
}

/* Where the writer's own memory, which changes meanwhile, begins or ends next. */
static uint64_t next_border(uint64_t address, uint64_t end, bool *own)
{
    uint64_t first, last;

    *own = false;
    for (size_t i = 0; crash_own_memory(i, &first, &last); i++) {
        if (first <= address && address < last) {
            *own = true;
            return last < end ? last : end;
        }
        if (address < first && first < end)
            end = first;
    }
    return end;
}

static void store(struct crash_writer *writer, uint64_t address, uint64_t end)
{
    while (address < end) {
        bool own;
        uint64_t border = next_border(address, end, &own);

        if (!own)
            crash_memory(writer, TAG_MEMR, address, border - address);
        address = border;
    }
}

/* Stacks in the kernel's image are stored with it. */
static bool is_inside_data(const struct crash_map *map)
{
    struct crash_map data;

    for (size_t i = 0; arch_map_entry(i, &data); i++) {
        if (data.kind == CRASH_MAP_DATA && data.start <= map->start && map->end <= data.end)
            return map->kind != CRASH_MAP_DATA;
    }
    return false;
}

void crash_gather_memory(struct crash_writer *writer, const struct crash_scene *scene)
{
    const struct crash_region *region;
    struct crash_map map;

    for (size_t i = 0; (region = crash_region_at(i)) != NULL; i++) {
        if (is_stored(scene, region))
            crash_memory(writer, TAG_MEMR, region->start, region->end - region->start);
    }
    for (size_t i = 0; arch_map_entry(i, &map); i++) {
        if (is_kept(scene, &map) && !is_inside_data(&map))
            store(writer, map.start, map.end);
    }
}

/* ---- TEXT ---- */

static void append_text_page(struct crash_writer *writer, uint64_t address)
{
    static uint8_t bytes[ARCH_PAGE_BYTES];
    struct crash_text_page page = {.address = address, .length = ARCH_PAGE_BYTES};

    crash_progress();
    while (page.length > 0 && !arch_is_text(address + page.length - 1))
        page.length--; /* the last one, where the code ends */
    if (arch_copy_from(bytes, address, page.length) < page.length)
        return;
    debugger_hide_breakpoints(address, bytes, page.length);
    page.crc = crash_crc32c(0, bytes, page.length);
    crash_append(writer, &page, sizeof page);
}

void crash_gather_text(struct crash_writer *writer, const struct crash_scene *scene)
{
    struct crash_map map;

    (void)scene;
    for (size_t i = 0; arch_map_entry(i, &map); i++) {
        if (map.kind != CRASH_MAP_TEXT)
            continue;
        for (uint64_t address = map.start; address < map.end; address += ARCH_PAGE_BYTES)
            append_text_page(writer, address);
    }
}
