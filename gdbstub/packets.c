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

/* How many characters of the request are this packet's name; 0 if it is another packet. */
static size_t match(const struct gdbstub *stub, const char *name)
{
    size_t len = 0;

    for (; name[len] != '\0'; len++) {
        if (len == stub->in_length || stub->in[len] != (uint8_t)name[len])
            return 0;
    }
    if (len == 1 || len == stub->in_length)
        return len;
    uint8_t next = stub->in[len];
    return next == ':' || next == ';' || next == ',' ? len : 0;
}

/* The row for the request, or NULL; `len` becomes the length of its name. */
static const struct packet *find(const struct gdbstub *stub, size_t *len)
{
    const struct packet *found = NULL;

    *len = 0;
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        size_t matched = match(stub, packets[i].name);
        if (matched > *len) {
            found = &packets[i];
            *len = matched;
        }
    }
    return found;
}

unsigned stub_request_when(const struct gdbstub *stub)
{
    size_t len;
    const struct packet *packet = find(stub, &len);

    return packet == NULL || stub->oversize ? 0 : packet->when;
}

enum verdict stub_dispatch(struct gdbstub *stub)
{
    size_t len;
    const struct packet *packet = find(stub, &len);

    if (stub->oversize)
        return VERDICT_TOO_LONG;
    if (packet == NULL || (packet->when & WHEN_MONITOR && stub->port->monitor == NULL))
        return VERDICT_UNKNOWN;
    struct args args = {stub->in + len, stub->in + stub->in_length};
    return packet->handle(stub, &args);
}
