/*
 * breakpoints.c - software breakpoints: the program's bytes are kept, the breakpoint instruction
 * stands in their place, and nobody who reads or writes memory through the stub notices.
 *
 * A breakpoint whose bytes the program has overwritten is forgotten, never "restored".  Two never
 * overlap, and none wraps around the end of the address space.
 */
#include "internal.h"

static size_t breakpoint_size(const struct gdbstub *stub)
{
    return stub->port->arch->breakpoint_size;
}

/* Through whose view of memory to reach a breakpoint: any will do if its thread has ended. */
static gdbstub_thread view_of(const struct gdbstub *stub,
                              const struct gdbstub_breakpoint *breakpoint)
{
    return stub_thread_exists(stub, breakpoint->thread) ? breakpoint->thread : stub->stop.thread;
}

/* Does memory still hold the breakpoint instruction there? */
static bool is_in_place(const struct gdbstub *stub, const struct gdbstub_breakpoint *breakpoint)
{
    const struct gdbstub_port *port = stub->port;
    uint8_t now[GDBSTUB_BREAKPOINT_BYTES];
    size_t size = breakpoint_size(stub);

    return port->read_memory(port->ctx, view_of(stub, breakpoint), breakpoint->address, now,
                             size) == size &&
           memcmp(now, port->arch->breakpoint, size) == 0;
}

static bool overlaps(const struct gdbstub *stub, const struct gdbstub_breakpoint *breakpoint,
                     uint64_t addr, uint64_t len)
{
    return breakpoint->address >= addr ? breakpoint->address - addr < len
                                       : addr - breakpoint->address < breakpoint_size(stub);
}

/* The index of the breakpoint at `addr`, or breakpoint_count. */
static size_t find(const struct gdbstub *stub, uint64_t addr)
{
    size_t i = 0;

    while (i < stub->breakpoint_count && stub->breakpoints[i].address != addr)
        i++;
    return i;
}

bool gdbstub_planted(const struct gdbstub *stub, uint64_t addr)
{
    return find(stub, addr) < stub->breakpoint_count;
}

/* The lowest breakpoint that touches [addr, addr + len), or NULL. */
static struct gdbstub_breakpoint *first_in(struct gdbstub *stub, uint64_t addr, uint64_t len)
{
    struct gdbstub_breakpoint *first = NULL;

    for (size_t i = 0; i < stub->breakpoint_count; i++) {
        struct gdbstub_breakpoint *breakpoint = &stub->breakpoints[i];
        if (overlaps(stub, breakpoint, addr, len) &&
            (first == NULL || breakpoint->address < first->address))
            first = breakpoint;
    }
    return first;
}

/* The part that a breakpoint and a range share. */
struct shared {
    size_t in_range;      /* where it begins in the range */
    size_t in_breakpoint; /* where it begins in the breakpoint */
    size_t len;
};

static struct shared share(const struct gdbstub *stub, const struct gdbstub_breakpoint *breakpoint,
                           uint64_t addr, size_t len)
{
    struct shared part = {0, 0, 0};

    if (breakpoint->address >= addr)
        part.in_range = (size_t)(breakpoint->address - addr);
    else
        part.in_breakpoint = (size_t)(addr - breakpoint->address);
    part.len = breakpoint_size(stub) - part.in_breakpoint;
    if (part.len > len - part.in_range)
        part.len = len - part.in_range;
    return part;
}

/* The table has changed. */
static void note_range(struct gdbstub *stub)
{
    uint64_t first = UINT64_MAX, last = 0;

    for (size_t i = 0; i < stub->breakpoint_count; i++) {
        uint64_t address = stub->breakpoints[i].address;
        first = address < first ? address : first;
        last = address > last ? address : last;
    }
    last += first <= last ? breakpoint_size(stub) - 1 : 0;
    stub->first_breakpoint = first;
    stub->last_breakpoint = last;
}

void stub_hide_breakpoints(const struct gdbstub *stub, uint64_t addr, void *bytes, size_t len)
{
    uint8_t *data = bytes;
    const uint8_t *instruction = stub->port->arch->breakpoint;

    if (!stub_may_hide(stub, addr, len))
        return;
    for (size_t i = 0; i < stub->breakpoint_count; i++) {
        const struct gdbstub_breakpoint *breakpoint = &stub->breakpoints[i];
        if (!overlaps(stub, breakpoint, addr, len))
            continue;
        struct shared part = share(stub, breakpoint, addr, len);
        /* Not ours any more, or another address space: then it is the program's own. */
        if (memcmp(data + part.in_range, instruction + part.in_breakpoint, part.len) == 0)
            memcpy(data + part.in_range, breakpoint->original + part.in_breakpoint, part.len);
    }
}

static bool write_plain(struct gdbstub *stub, uint64_t addr, const uint8_t *data, size_t len)
{
    const struct gdbstub_port *port = stub->port;

    return len == 0 || port->write_memory(port->ctx, stub->general, addr, data, len) == len;
}

void gdbstub_hide_breakpoints(const struct gdbstub *stub, uint64_t addr, uint8_t *data, size_t len)
{
    stub_hide_breakpoints(stub, addr, data, len);
}

/* What is written over a breakpoint becomes what it hides. */
static bool write_over(struct gdbstub *stub, struct gdbstub_breakpoint *breakpoint,
                       struct shared part, const uint8_t *data)
{
    if (!is_in_place(stub, breakpoint))
        return write_plain(stub, breakpoint->address + part.in_breakpoint, data, part.len);
    memcpy(breakpoint->original + part.in_breakpoint, data, part.len);
    return true;
}

bool stub_write_memory(struct gdbstub *stub, uint64_t addr, const uint8_t *data, size_t len)
{
    struct gdbstub_breakpoint *breakpoint;

    while (len > 0 && (breakpoint = first_in(stub, addr, len)) != NULL) {
        struct shared part = share(stub, breakpoint, addr, len);
        size_t done = part.in_range + part.len;
        if (!write_plain(stub, addr, data, part.in_range) ||
            !write_over(stub, breakpoint, part, data + part.in_range))
            return false;
        addr += done;
        data += done;
        len -= done;
    }
    return write_plain(stub, addr, data, len);
}

/* Take a breakpoint out of the table, then out of memory: should that fail, it fails once. */
static bool remove_at(struct gdbstub *stub, size_t i)
{
    const struct gdbstub_port *port = stub->port;
    struct gdbstub_breakpoint breakpoint = stub->breakpoints[i];
    size_t size = breakpoint_size(stub);

    stub->breakpoints[i] = stub->breakpoints[--stub->breakpoint_count];
    note_range(stub);
    if (!is_in_place(stub, &breakpoint))
        return true;
    return port->write_memory(port->ctx, view_of(stub, &breakpoint), breakpoint.address,
                              breakpoint.original, size) == size;
}

enum verdict stub_remove_breakpoint(struct gdbstub *stub, uint64_t addr)
{
    size_t i = find(stub, addr);

    if (i == stub->breakpoint_count)
        return VERDICT_OK; /* asked again: it is removed */
    return remove_at(stub, i) ? VERDICT_OK : VERDICT_NO_ACCESS;
}

bool gdbstub_drop(struct gdbstub *stub, uint64_t addr)
{
    size_t i = find(stub, addr);

    return i < stub->breakpoint_count && remove_at(stub, i);
}

/* Write the instruction and look whether it is there: memory may be a ROM, or a device. */
static enum verdict plant(struct gdbstub *stub, struct gdbstub_breakpoint *breakpoint)
{
    const struct gdbstub_port *port = stub->port;
    size_t size = breakpoint_size(stub);
    uint64_t addr = breakpoint->address;

    if (port->read_memory(port->ctx, breakpoint->thread, addr, breakpoint->original, size) < size)
        return VERDICT_NO_ACCESS;
    if (port->write_memory(port->ctx, breakpoint->thread, addr, port->arch->breakpoint, size) ==
            size &&
        is_in_place(stub, breakpoint))
        return VERDICT_OK;
    port->write_memory(port->ctx, breakpoint->thread, addr, breakpoint->original, size);
    return stub_refuse(stub, "the memory does not keep what is written to it");
}

enum verdict stub_plant_breakpoint(struct gdbstub *stub, uint64_t addr, uint64_t len)
{
    const struct gdbstub_port *port = stub->port;
    struct gdbstub_breakpoint breakpoint = {.address = addr, .thread = stub->general};
    size_t i = find(stub, addr);

    if (len != breakpoint_size(stub) || len - 1 > UINT64_MAX - addr)
        return VERDICT_INVALID;
    if (i < stub->breakpoint_count && is_in_place(stub, &stub->breakpoints[i]))
        return VERDICT_OK; /* asked again: it is planted */
    if (i < stub->breakpoint_count)
        remove_at(stub, i);
    if (first_in(stub, addr, len) != NULL)
        return stub_refuse(stub, "it would overlap another breakpoint");
    if (stub->breakpoint_count == GDBSTUB_MAX_BREAKPOINTS)
        return stub_refuse(stub, "all software breakpoints are in use");
    const char *reason = port->refuse_breakpoint(port->ctx, addr, (size_t)len);
    if (reason != NULL)
        return stub_refuse(stub, reason);
    enum verdict verdict = plant(stub, &breakpoint);
    if (verdict != VERDICT_OK)
        return verdict;
    stub->breakpoints[stub->breakpoint_count++] = breakpoint;
    note_range(stub);
    return VERDICT_OK;
}

/* ---- For filter.c ---- */

#if GDBSTUB_WITH_FILTER
const uint8_t *stub_bytes_under(const struct gdbstub *stub, uint64_t addr)
{
    size_t i = find(stub, addr);

    return i < stub->breakpoint_count ? stub->breakpoints[i].original : NULL;
}

bool stub_lift_breakpoint(struct gdbstub *stub, uint64_t addr)
{
    const struct gdbstub_port *port = stub->port;
    size_t i = find(stub, addr), size = breakpoint_size(stub);

    if (i == stub->breakpoint_count || !is_in_place(stub, &stub->breakpoints[i]))
        return false;
    return port->write_memory(port->ctx, view_of(stub, &stub->breakpoints[i]), addr,
                              stub->breakpoints[i].original, size) == size;
}

/* Planted again from what is there now: the step may have written it. */
void stub_lower_breakpoint(struct gdbstub *stub, uint64_t addr)
{
    size_t i = find(stub, addr);

    if (i == stub->breakpoint_count)
        return;
    stub->breakpoints[i].thread = view_of(stub, &stub->breakpoints[i]);
    plant(stub, &stub->breakpoints[i]);
}
#endif
