/*
 * packets.c - find the row of packets.def that a request names, and call its handler.
 */
#include "internal.h"

struct packet {
    const char *name;
    enum verdict (*handle)(struct gdbstub *stub, struct args *args);
    unsigned when;
};

static const struct packet packets[] = {
#define PACKET(name, handler, when) {name, stub_handle_##handler, when},
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

enum verdict stub_dispatch(struct gdbstub *stub)
{
    const struct packet *packet = find(stub);

    if (stub->oversize)
        return VERDICT_TOO_LONG;
    if (packet == NULL || (packet->when & WHEN_MONITOR && stub->port->monitor == NULL))
        return VERDICT_UNKNOWN;
    struct args args = {stub->in + length(packet->name), stub->in + stub->in_length};
    return packet->handle(stub, &args);
}
