/*
 * space.c - the pages behind regions, made when they are touched.
 *
 * A page is in one of four states: not mapped; mapped to its file's own page, or to the page of
 * zeros, neither ever writable; mapped to a frame of its own.  Which of them it is can be told from
 * the page tables and the region alone, so nothing else is kept.
 */
#include "space.h"

#include "arch/arch.h"
#include "cpus.h"
#include "frames.h"
#include "string.h"

enum {
    PAGE = ARCH_PAGE_BYTES,
    BATCH_PAGES = 64, /* taken away with one flush */
};

_Alignas(ARCH_PAGE_BYTES) static const uint8_t zeros[ARCH_PAGE_BYTES];

static uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(PAGE - 1);
}

static uint64_t page_up(uint64_t address)
{
    return page_down(address + PAGE - 1);
}

static uint64_t zero_frame(void)
{
    return arch_physical_of(zeros);
}

/* ---- Regions ---- */

static bool add(struct space *space, const struct region *region)
{
    bool done;

    mutex_lock(&space->mutex);
    done = regions_add(&space->regions, region);
    mutex_unlock(&space->mutex);
    return done;
}

bool space_add(struct space *space, const struct region *region)
{
    struct region added = *region;

    added.lowest = added.start;
    return add(space, &added);
}

bool space_add_stack(struct space *space, uint64_t end)
{
    const struct region stack = {
        .start = end - SPACE_STACK_BYTES - PAGE,
        .end = end,
        .lowest = end - PAGE,
        .permissions = CRASH_MAP_READ | CRASH_MAP_WRITE,
    };

    return add(space, &stack);
}

uint64_t space_add_zeros(struct space *space, uint64_t address, uint64_t len, unsigned permissions)
{
    struct region region = {.permissions = permissions};

    if (len == 0 || len > REGION_BYTES)
        return 0;
    mutex_lock(&space->mutex);
    region.start = address != 0 ? address : regions_find_room(&space->regions, page_up(len));
    region.lowest = region.start;
    region.end = region.start + page_up(len);
    if (!regions_add(&space->regions, &region))
        region.start = 0;
    mutex_unlock(&space->mutex);
    return region.start;
}

/* ---- Pages ---- */

/* The frame that a page is mapped to as long as nobody has written to it; 0 if the file fills only
 * a part of it: then it has one of its own from the first touch on. */
static uint64_t shared_frame(const struct region *region, uint64_t page)
{
    uint64_t offset = page - region->start;

    if (offset >= region->file_bytes)
        return zero_frame();
    return region->file_bytes - offset >= PAGE ? region->file + offset : 0;
}

/* A frame of its own for the page, with what it began with; 0 if memory is short. */
static uint64_t make_frame(const struct region *region, uint64_t page)
{
    uint64_t offset = page - region->start, frame = frames_take();
    uint64_t from_file = offset < region->file_bytes ? region->file_bytes - offset : 0;

    if (frame == 0)
        return 0;
    if (from_file > PAGE)
        from_file = PAGE;
    memcpy(arch_physical(frame), arch_physical(region->file + offset), from_file);
    return frame;
}

static enum space_result map_own(struct space *space, const struct region *region, uint64_t page,
                                 bool replaces)
{
    uint64_t frame = make_frame(region, page);

    if (frame == 0)
        return SPACE_NO_MEMORY;
    if (!arch_space_map(space->root, page, frame, region->permissions)) {
        frames_give(frame);
        return SPACE_NO_MEMORY;
    }
    if (replaces)
        cpus_flush_page(space->root, page); /* nobody may go on reading the shared one */
    return SPACE_RESOLVED;
}

static enum space_result resolve_write(struct space *space, const struct region *region,
                                       uint64_t page)
{
    unsigned permissions = 0;
    uint64_t frame = arch_space_find(space->root, page, &permissions);

    if (frame != 0 && (permissions & CRASH_MAP_WRITE) != 0) {
        arch_flush_page(page); /* another thread was faster */
        return SPACE_RESOLVED;
    }
    return map_own(space, region, page, frame != 0);
}

static enum space_result resolve_read(struct space *space, const struct region *region,
                                      uint64_t page)
{
    uint64_t shared = shared_frame(region, page);

    if (arch_space_find(space->root, page, NULL) != 0) {
        arch_flush_page(page);
        return SPACE_RESOLVED;
    }
    if (shared == 0)
        return map_own(space, region, page, false);
    return arch_space_map(space->root, page, shared,
                          region->permissions & ~(unsigned)CRASH_MAP_WRITE)
               ? SPACE_RESOLVED
               : SPACE_NO_MEMORY;
}

/* A stack's lowest address follows accesses near the stack pointer, down to the last page. */
static bool grow_to(struct region *region, uint64_t address, uint64_t sp)
{
    if (address >= region->lowest)
        return true;
    if (address < region->start + PAGE || (address < sp && sp - address > SPACE_RED_ZONE_BYTES))
        return false;
    region->lowest = page_down(address);
    return true;
}

static bool may_access(const struct region *region, unsigned access)
{
    unsigned needed = CRASH_MAP_READ;

    if ((access & TRAP_ACCESS_WRITE) != 0)
        needed = CRASH_MAP_WRITE;
    else if ((access & TRAP_ACCESS_EXECUTE) != 0)
        needed = CRASH_MAP_EXECUTE;
    return (region->permissions & needed) != 0;
}

/* With the mutex held. */
static enum space_result resolve(struct space *space, uint64_t address, unsigned access,
                                 uint64_t sp)
{
    struct region *region = regions_find(&space->regions, address);

    if (region == NULL || !may_access(region, access) || !grow_to(region, address, sp))
        return SPACE_REFUSED;
    return (access & TRAP_ACCESS_WRITE) != 0 ? resolve_write(space, region, page_down(address))
                                             : resolve_read(space, region, page_down(address));
}

enum space_result space_resolve(struct space *space, uint64_t address, unsigned access, uint64_t sp)
{
    enum space_result result;

    mutex_lock(&space->mutex);
    result = resolve(space, address, access, sp);
    mutex_unlock(&space->mutex);
    return result;
}

/* ---- Taking away ---- */

/* Unmap [start, end) of the region, up to as many pages as fit into `frames`: those they had of
 * their own.  Returns where it stopped. */
static uint64_t unmap_some(struct space *space, const struct region *region, uint64_t start,
                           uint64_t end, uint64_t frames[BATCH_PAGES], size_t *count)
{
    uint64_t page = start;

    for (*count = 0; page < end && *count < BATCH_PAGES; page += PAGE) {
        uint64_t frame = arch_space_find(space->root, page, NULL);

        if (frame == 0)
            continue;
        arch_space_unmap(space->root, page);
        if (frame != shared_frame(region, page))
            frames[(*count)++] = frame;
    }
    return page;
}

/* A frame is given back when no CPU can reach it any more. */
static void remove_pages(struct space *space, const struct region *region, uint64_t start,
                         uint64_t end, bool is_loaded)
{
    uint64_t frames[BATCH_PAGES];
    size_t count;

    while (start < end) {
        start = unmap_some(space, region, start, end, frames, &count);
        if (is_loaded)
            cpus_flush_space(space->root);
        while (count > 0)
            frames_give(frames[--count]);
    }
}

static void remove_range(struct space *space, uint64_t start, uint64_t end)
{
    struct region *region;

    while ((region = regions_from(&space->regions, start)) != NULL && region->start < end) {
        uint64_t from = start > region->start ? start : region->start;
        uint64_t to = end < region->end ? end : region->end;

        remove_pages(space, region, from, to, true);
        regions_cut(&space->regions, region, from, to);
    }
}

bool space_remove(struct space *space, uint64_t address, uint64_t len)
{
    uint64_t start = page_down(address), end = page_up(address + len);
    bool possible;

    if (len == 0 || len > ARCH_USER_END || !region_is_for_programs(start, end))
        return false;
    mutex_lock(&space->mutex);
    possible = space->regions.count < REGIONS; /* one more at most: the tail of one */
    if (possible)
        remove_range(space, start, end);
    mutex_unlock(&space->mutex);
    return possible;
}

/* ---- The whole ---- */

bool space_create(struct space *space)
{
    *space = (struct space){.mutex = MUTEX("address space"), .root = arch_space_create()};
    return space->root != 0;
}

void space_destroy(struct space *space)
{
    for (size_t i = 0; i < space->regions.count; i++) {
        const struct region *region = &space->regions.list[i];

        remove_pages(space, region, region->lowest, region->end, false);
    }
    arch_space_destroy(space->root);
    space->root = 0;
    space->regions.count = 0;
}

/* ---- Copies ---- */

/* A part of a program's memory as the kernel sees it: all in one page. */
struct view {
    uint8_t *bytes;
    size_t len;
};

/* What there is of [address, address + len) in its first page, after making the access possible; a
 * stack may grow to there, wherever its pointer is.  False if it is not.  With the mutex held. */
static bool look(struct space *space, uint64_t address, uint64_t len, unsigned access,
                 struct view *view)
{
    enum { NO_STACK_POINTER = 0 };
    uint64_t in_page = PAGE - address % PAGE;

    if (resolve(space, address, access, NO_STACK_POINTER) != SPACE_RESOLVED)
        return false;
    view->bytes = (uint8_t *)arch_physical(arch_space_find(space->root, page_down(address), NULL)) +
                  address % PAGE;
    view->len = (size_t)(len < in_page ? len : in_page);
    return true;
}

static bool is_in_user_half(uint64_t address, uint64_t len)
{
    return len <= ARCH_USER_END && address <= ARCH_USER_END - len;
}

bool space_copy_in(struct space *space, void *to, uint64_t from, uint64_t len)
{
    struct view view;
    uint64_t done = 0;

    if (!is_in_user_half(from, len))
        return false;
    mutex_lock(&space->mutex);
    while (done < len && look(space, from + done, len - done, 0, &view)) {
        memcpy((uint8_t *)to + done, view.bytes, view.len);
        done += view.len;
    }
    mutex_unlock(&space->mutex);
    return done == len;
}

bool space_copy_out(struct space *space, uint64_t to, const void *from, uint64_t len)
{
    struct view view;
    uint64_t done = 0;

    if (!is_in_user_half(to, len))
        return false;
    mutex_lock(&space->mutex);
    while (done < len && look(space, to + done, len - done, TRAP_ACCESS_WRITE, &view)) {
        memcpy(view.bytes, (const uint8_t *)from + done, view.len);
        done += view.len;
    }
    mutex_unlock(&space->mutex);
    return done == len;
}
