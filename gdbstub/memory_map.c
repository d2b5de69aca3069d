/*
 * memory_map.c - qXfer:memory-map for GDB, qMemoryRegionInfo for LLDB: what is where.
 *
 * All of GDB's map is RAM: it would use hardware breakpoints only in what is called ROM, and look
 * at nothing that is not listed.
 */
#include "internal.h"

bool stub_describe_memory(struct window *window, struct args annex)
{
    const struct gdbstub_arch *arch = window->stub->port->arch;

    if (!stub_at_end(&annex))
        return false;
    stub_window_put(window, "<memory-map>");
    for (size_t i = 0; i < arch->address_count; i++) {
        stub_window_put(window, "<memory type=\"ram\" start=\"0x%x\" length=\"0x%x\"/>",
                        arch->addresses[i].start, arch->addresses[i].length);
    }
    stub_window_put(window, "</memory-map>");
    return true;
}

static void put_permissions(struct gdbstub *stub, unsigned access)
{
    static const char letters[] = {'r', 'w', 'x'}; /* in the order of enum gdbstub_access */

    stub_put(stub, "permissions:");
    for (size_t i = 0; i < sizeof(letters); i++) {
        if (access >> i & 1)
            stub_put_char(stub, letters[i]);
    }
    stub_put_char(stub, ';');
}

/* qMemoryRegionInfo:ADDRESS */
enum verdict stub_handle_region(struct gdbstub *stub, struct request *request)
{
    const struct gdbstub_port *port = stub->port;
    struct gdbstub_range range = {0};

    if (stub_at_end(&request->args))
        return VERDICT_OK; /* LLDB asks whether there is such a packet */
    if (!stub_take(request, ":#$"))
        return VERDICT_MALFORMED;
    if (!port->memory_region(port->ctx, stub->general, request->value[0], &range))
        return VERDICT_NO_ACCESS;
    stub_put(stub, "start:%x;size:%x;", range.start, range.length);
    if (range.access != 0)
        put_permissions(stub, range.access);
    if (range.name[0] != '\0') {
        stub_put(stub, "name:");
        stub_put_hexed(stub, "%s", range.name);
        stub_put_char(stub, ';');
    }
    return VERDICT_REPLY;
}
