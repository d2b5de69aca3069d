/*
 * packets.c - find the row of packets.def that a request names, and call its handler.
 */
#include "internal.h"

struct packet {
    const char *name;
    const char *form; /* of what follows it */
    enum verdict (*handle)(struct gdbstub *stub, struct request *request);
    unsigned when;
};

static const struct packet packets[] = {
#define PACKET(name, form, handler, when) {name, form, stub_handle_##handler, when},
#include "packets.def"
#undef PACKET
};

static size_t length(const char *name)
{
    size_t len = 0;

    while (name[len] != '\0')
        len++;
    return len;
}

static bool is_named(const struct gdbstub *stub, const char *name)
{
    size_t len = length(name);

    if (stub->in_length < len || memcmp(stub->in, name, len) != 0)
        return false;
    if (len == 1 || len == stub->in_length)
        return true;
    uint8_t next = stub->in[len];
    return next == ':' || next == ';' || next == ',';
}

/* The row for the request, or NULL. */
static const struct packet *find(const struct gdbstub *stub)
{
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        if (is_named(stub, packets[i].name))
            return &packets[i];
    }
    return NULL;
}

unsigned stub_request_when(const struct gdbstub *stub)
{
    const struct packet *packet = find(stub);

    return packet == NULL || stub->oversize ? 0 : packet->when;
}

bool stub_port_has(const struct gdbstub *stub, unsigned when)
{
    const struct gdbstub_port *port = stub->port;
    unsigned lacks =
        (port->monitor == NULL ? WHEN_MONITOR : 0u) | (port->can_restart ? 0u : WHEN_RESTART) |
        (port->object_count == 0 ? WHEN_OBJECTS : 0u) | (port->has_syscalls ? 0u : WHEN_SYSCALLS) |
        (port->memory_region == NULL ? WHEN_REGION : 0u) |
        (port->arch->triple == NULL ? WHEN_TRIPLE : 0u);

    return (when & lacks) == 0;
}

enum verdict stub_dispatch(struct gdbstub *stub)
{
    const struct packet *packet = find(stub);
    enum verdict verdict = VERDICT_OK;

    if (stub->oversize)
        return VERDICT_TOO_LONG;
    if (packet == NULL || !stub_port_has(stub, packet->when))
        return VERDICT_UNKNOWN;
    struct request request = {
        .args = {stub->in + length(packet->name), stub->in + stub->in_length}};
    if ((packet->when & WHEN_SUFFIX) != 0 && (stub->client & CLIENT_THREAD_SUFFIX) != 0)
        verdict = stub_take_suffix(stub, &request.args);
    if (verdict != VERDICT_OK)
        return verdict;
    if (!stub_take(&request, packet->form))
        return VERDICT_MALFORMED;
    if ((packet->when & WHEN_THREAD) != 0 && !stub_thread_exists(stub, stub->general))
        return VERDICT_NO_THREAD;
    return packet->handle(stub, &request);
}
