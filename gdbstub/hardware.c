/*
 * hardware.c - hardware points, which are the port's.
 *
 * Remembers which are inserted, so that asking twice changes nothing and that a session which ends,
 * or dies, leaves none behind.
 */
#include "internal.h"

static enum verdict verdict_of(enum gdbstub_point_result result)
{
    static const enum verdict verdicts[] = {
        [GDBSTUB_POINT_DONE] = VERDICT_OK,
        [GDBSTUB_POINT_NONE_FREE] = VERDICT_NO_SPACE,
        [GDBSTUB_POINT_UNSUPPORTED] = VERDICT_UNKNOWN,
    };

    return verdicts[result];
}

/* The index of an inserted point, or point_count. */
static size_t find(const struct gdbstub *stub, const struct gdbstub_hardware_point *point)
{
    size_t i = 0;

    while (i < stub->point_count &&
           (stub->points[i].kind != point->kind || stub->points[i].address != point->address ||
            stub->points[i].length != point->length))
        i++;
    return i;
}

static enum verdict insert_point(struct gdbstub *stub, const struct gdbstub_hardware_point *point)
{
    const struct gdbstub_port *port = stub->port;
    const char *reason = NULL;

    if (find(stub, point) < stub->point_count)
        return VERDICT_OK;
    if (point->kind == GDBSTUB_POINT_EXECUTE)
        reason = port->refuse_breakpoint(port->ctx, point->address, point->length);
    if (reason != NULL)
        return stub_refuse(stub, reason);
    if (stub->point_count == GDBSTUB_MAX_POINTS)
        return VERDICT_NO_SPACE;
    enum gdbstub_point_result result =
        port->insert_point(port->ctx, point->kind, point->address, point->length);
    if (result == GDBSTUB_POINT_DONE)
        stub->points[stub->point_count++] = *point;
    return verdict_of(result);
}

static enum verdict remove_point(struct gdbstub *stub, const struct gdbstub_hardware_point *point)
{
    const struct gdbstub_port *port = stub->port;
    size_t i = find(stub, point);
    bool inserted = i < stub->point_count;

    stub_remove_agents(stub, point->kind, point->address);
    if (inserted)
        stub->points[i] = stub->points[--stub->point_count];
    enum gdbstub_point_result result =
        port->remove_point(port->ctx, point->kind, point->address, point->length);
    /* Asked again, whatever the port says of a point it does not have, it is removed. */
    return result == GDBSTUB_POINT_NONE_FREE && !inserted ? VERDICT_OK : verdict_of(result);
}

/* Insert or remove what TYPE,ADDRESS,KIND name. */
static enum verdict change_point(struct gdbstub *stub, const uint64_t value[3],
                                 enum verdict (*change)(struct gdbstub *stub,
                                                        const struct gdbstub_hardware_point *point))
{
    uint64_t type = value[0], addr = value[1], len = value[2];

    if (type > GDBSTUB_POINT_ACCESS || stub->port->insert_point == NULL)
        return VERDICT_UNKNOWN;
    if (len == 0 || len > SIZE_MAX || stub_clip_range(addr, len) != len)
        return VERDICT_INVALID;
    const struct gdbstub_hardware_point point = {(enum gdbstub_point)type, addr, (size_t)len};
    return change(stub, &point);
}

enum verdict stub_insert_point(struct gdbstub *stub, const uint64_t value[3])
{
    return change_point(stub, value, insert_point);
}

enum verdict stub_remove_point(struct gdbstub *stub, const uint64_t value[3])
{
    return change_point(stub, value, remove_point);
}

/* From the last to the first: who is removed is replaced by one that has been looked at. */
void stub_remove_points(struct gdbstub *stub, bool persistent)
{
    for (size_t i = stub->point_count; i-- > 0;) {
        const struct gdbstub_hardware_point point = stub->points[i];
        if (persistent || !stub_persists(stub, point.kind, point.address))
            remove_point(stub, &point);
    }
}

bool stub_has_execute_point(const struct gdbstub *stub, uint64_t addr)
{
    size_t i = 0;

    while (i < stub->point_count &&
           (stub->points[i].kind != GDBSTUB_POINT_EXECUTE || stub->points[i].address != addr))
        i++;
    return i < stub->point_count;
}
