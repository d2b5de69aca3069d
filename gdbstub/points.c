/*
 * points.c - Z and z, and the end of all that they have inserted: software breakpoints are
 * breakpoints.c, hardware points hardware.c.
 */
#include "internal.h"

enum {
    SOFTWARE_BREAKPOINT = 0, /* the type in the packet; the others are enum gdbstub_point */
};

static enum verdict remove_breakpoint(struct gdbstub *stub, uint64_t addr)
{
    stub_remove_agents(stub, SOFTWARE_BREAKPOINT, addr);
    return stub_remove_breakpoint(stub, addr);
}

/* Z: with conditions and commands only for what stops before an instruction. */
enum verdict stub_handle_insert(struct gdbstub *stub, struct request *request)
{
    uint64_t type = request->value[0], addr = request->value[1], len = request->value[2];
    enum verdict verdict;

    if (type > GDBSTUB_POINT_EXECUTE && !stub_at_end(&request->args))
        return VERDICT_MALFORMED;
    verdict = stub_take_agents(stub, request, type, addr);
    if (verdict != VERDICT_OK)
        return verdict;
    if (type == SOFTWARE_BREAKPOINT)
        verdict = stub_plant_breakpoint(stub, addr, len);
    else
        verdict = stub_insert_point(stub, (const uint64_t[]){type, addr, len});
    if (verdict == VERDICT_OK)
        stub_keep_agents(stub, type, addr);
    return verdict;
}

/* z */
enum verdict stub_handle_remove(struct gdbstub *stub, struct request *request)
{
    if (request->value[0] == SOFTWARE_BREAKPOINT)
        return remove_breakpoint(stub, request->value[1]);
    return stub_remove_point(stub, request->value);
}

bool gdbstub_inserted_point(const struct gdbstub *stub, size_t n, struct gdbstub_inserted *point)
{
    size_t software = stub->breakpoint_count;

    if (n < software) {
        *point = (struct gdbstub_inserted){SOFTWARE_BREAKPOINT, stub->breakpoints[n].address,
                                           stub->port->arch->breakpoint_size};
        return true;
    }
    if (!GDBSTUB_WITH_POINTS || n - software >= stub->point_count)
        return false;
    const struct gdbstub_hardware_point *found = &stub->points[n - software];
    *point = (struct gdbstub_inserted){found->kind, found->address, found->length};
    return true;
}

/* From the last to the first: who is removed is replaced by one that has been looked at. */
static void remove_all(struct gdbstub *stub, bool persistent)
{
    for (size_t i = stub->breakpoint_count; i-- > 0;) {
        uint64_t addr = stub->breakpoints[i].address;
        if (persistent || !stub_persists(stub, SOFTWARE_BREAKPOINT, addr))
            remove_breakpoint(stub, addr);
    }
    stub_remove_points(stub, persistent);
}

void stub_remove_everything(struct gdbstub *stub)
{
    remove_all(stub, true);
}

void stub_remove_session(struct gdbstub *stub)
{
    remove_all(stub, false);
}
