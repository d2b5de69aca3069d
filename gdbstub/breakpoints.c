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

/* Does memory, as a thread sees it, hold the breakpoint instruction there? */
static bool holds(const struct gdbstub *stub, gdbstub_thread thread, uint64_t addr)
{
    const struct gdbstub_port *port = stub->port;
    uint8_t now[GDBSTUB_BREAKPOINT_BYTES];
    size_t size = breakpoint_size(stub);

    return port->read_memory(port->ctx, thread, addr, now, size) == size &&
           memcmp(now, port->arch->breakpoint, size) == 0;
}

static bool is_in_place(const struct gdbstub *stub, const struct gdbstub_breakpoint *breakpoint)
{
    return holds(stub, view_of(stub, breakpoint), breakpoint->address);
}

/* Write a breakpoint, or what it hides. */
static bool put(const struct gdbstub *stub, const struct gdbstub_breakpoint *breakpoint,
                const uint8_t *bytes)
{
    const struct gdbstub_port *port = stub->port;
    size_t size = breakpoint_size(stub);

    return port->write_memory(port->ctx, view_of(stub, breakpoint), breakpoint->address, bytes,
                              size) == size;
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

/* The part that a breakpoint and a range share. */
struct shared {
    size_t in_range;      /* where it begins in the range */
    size_t in_breakpoint; /* where it begins in the breakpoint */
    size_t len;
};

/* False if they share nothing. */
static bool share(const struct gdbstub *stub, const struct gdbstub_breakpoint *breakpoint,
                  uint64_t addr, uint64_t len, struct shared *part)
{
    uint64_t behind = breakpoint->address - addr, before = addr - breakpoint->address;
    size_t size = breakpoint_size(stub);

    if (behind >= len && before >= size)
        return false;
    part->in_range = behind < len ? (size_t)behind : 0;
    part->in_breakpoint = behind < len ? 0 : (size_t)before;
    part->len = size - part->in_breakpoint;
    if (part->len > len - part->in_range)
        part->len = (size_t)len - part->in_range;
    return true;
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
        struct shared part;
        /* Not ours any more, or another address space: then it is the program's own. */
        if (share(stub, breakpoint, addr, len, &part) &&
            memcmp(data + part.in_range, instruction + part.in_breakpoint, part.len) == 0)
            memcpy(data + part.in_range, breakpoint->original + part.in_breakpoint, part.len);
    }
}

void gdbstub_hide_breakpoints(const struct gdbstub *stub, uint64_t addr, uint8_t *data, size_t len)
{
    stub_hide_breakpoints(stub, addr, data, len);
}

bool stub_write_memory(struct gdbstub *stub, uint64_t addr, uint8_t *data, size_t len)
{
    const struct gdbstub_port *port = stub->port;

    for (size_t i = 0; i < stub->breakpoint_count; i++) {
        struct gdbstub_breakpoint *breakpoint = &stub->breakpoints[i];
        struct shared part;
        if (!share(stub, breakpoint, addr, len, &part) ||
            !holds(stub, stub->general, breakpoint->address))
            continue;
        /* What is written over a breakpoint becomes what it hides. */
        memcpy(breakpoint->original + part.in_breakpoint, data + part.in_range, part.len);
        memcpy(data + part.in_range, port->arch->breakpoint + part.in_breakpoint, part.len);
    }
    return len == 0 || port->write_memory(port->ctx, stub->general, addr, data, len) == len;
}

/* Take a breakpoint out of the table, then out of memory: should that fail, it fails once. */
static bool remove_at(struct gdbstub *stub, size_t i)
{
    struct gdbstub_breakpoint breakpoint = stub->breakpoints[i];

    stub->breakpoints[i] = stub->breakpoints[--stub->breakpoint_count];
    note_range(stub);
    return !is_in_place(stub, &breakpoint) || put(stub, &breakpoint, breakpoint.original);
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

    if (port->read_memory(port->ctx, breakpoint->thread, breakpoint->address, breakpoint->original,
                          size) < size)
        return VERDICT_NO_ACCESS;
    if (put(stub, breakpoint, port->arch->breakpoint) && is_in_place(stub, breakpoint))
        return VERDICT_OK;
    put(stub, breakpoint, breakpoint->original);
    return stub_refuse(stub, "the memory does not keep what is written to it");
}

static bool touches_any(const struct gdbstub *stub, uint64_t addr, uint64_t len)
{
    struct shared part;
    size_t i = 0;

    while (i < stub->breakpoint_count && !share(stub, &stub->breakpoints[i], addr, len, &part))
        i++;
    return i < stub->breakpoint_count;
}

enum verdict stub_plant_breakpoint(struct gdbstub *stub, uint64_t addr, uint64_t len)
{
    const struct gdbstub_port *port = stub->port;
    size_t i = find(stub, addr);

    if (len != breakpoint_size(stub) || len - 1 > UINT64_MAX - addr)
        return VERDICT_INVALID;
    if (i < stub->breakpoint_count && is_in_place(stub, &stub->breakpoints[i]))
        return VERDICT_OK; /* asked again: it is planted */
    if (i < stub->breakpoint_count)
        remove_at(stub, i);
    if (touches_any(stub, addr, len))
        return stub_refuse(stub, "it would overlap another breakpoint");
    if (stub->breakpoint_count == GDBSTUB_MAX_BREAKPOINTS)
        return stub_refuse(stub, "all software breakpoints are in use");
    const char *reason = port->refuse_breakpoint(port->ctx, addr, (size_t)len);
    if (reason != NULL)
        return stub_refuse(stub, reason);
    struct gdbstub_breakpoint *breakpoint = &stub->breakpoints[stub->breakpoint_count];
    breakpoint->address = addr;
    breakpoint->thread = stub->general;
    enum verdict verdict = plant(stub, breakpoint);
    if (verdict == VERDICT_OK) {
        stub->breakpoint_count++;
        note_range(stub);
    }
    return verdict;
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
    size_t i = find(stub, addr);
    const struct gdbstub_breakpoint *breakpoint = &stub->breakpoints[i];

    return i < stub->breakpoint_count && is_in_place(stub, breakpoint) &&
           put(stub, breakpoint, breakpoint->original);
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
