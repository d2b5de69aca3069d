/*
 * memory_map.c - qXfer:memory-map for GDB, qMemoryRegionInfo for LLDB: what is where.
 *
 * All of GDB's map is RAM: it would use hardware breakpoints only in what is called ROM, and look
 * at nothing that is not listed.
 */
#include "internal.h"

bool stub_describe_memory(struct window *window, struct args *annex)
{
    const struct gdbstub_arch *arch = window->stub->port->arch;

    if (!stub_at_end(annex))
        return false;
    stub_window_text(window, "<memory-map>");
    for (size_t i = 0; i < arch->address_count; i++) {
        stub_window_text(window, "<memory type=\"ram\" start=\"0x");
        stub_window_hex(window, arch->addresses[i].start);
        stub_window_text(window, "\" length=\"0x");
        stub_window_hex(window, arch->addresses[i].length);
        stub_window_text(window, "\"/>");
    }
    stub_window_text(window, "</memory-map>");
    return true;
}

static void put_permissions(struct gdbstub *stub, unsigned access)
{
    static const char letters[] = {'r', 'w', 'x'}; /* in the order of enum gdbstub_access */

    stub_put_text(stub, "permissions:");
    for (size_t i = 0; i < sizeof(letters); i++) {
        if (access >> i & 1)
            stub_put_char(stub, letters[i]);
    }
    stub_put_char(stub, ';');
}

/* qMemoryRegionInfo:ADDRESS */
enum verdict stub_handle_region(struct gdbstub *stub, struct args *args)
{
    const struct gdbstub_port *port = stub->port;
    struct gdbstub_range range = {0};
    uint64_t addr;

    if (stub_at_end(args))
        return VERDICT_OK; /* LLDB asks whether there is such a packet */
    if (!stub_take_char(args, ':') || !stub_take_number(args, &addr) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    if (!port->memory_region(port->ctx, stub->general, addr, &range))
        return VERDICT_NO_ACCESS;
    stub_put_text(stub, "start:");
    stub_put_number(stub, range.start);
    stub_put_text(stub, ";size:");
    stub_put_number(stub, range.length);
    stub_put_char(stub, ';');
    if (range.access != 0)
        put_permissions(stub, range.access);
    if (range.name[0] != '\0') {
        stub_put_text(stub, "name:");
        stub_put_hex_text(stub, range.name);
        stub_put_char(stub, ';');
    }
    return VERDICT_REPLY;
}
