/*
 * memory.c - m x M X: memory as the selected thread sees it, never with a planted breakpoint in it.
 */
#include "internal.h"

enum {
    CHUNK = 256, /* bytes read at once; on the stack */
};

uint64_t stub_clip_range(uint64_t addr, uint64_t len)
{
    uint64_t last = UINT64_MAX - addr; /* offset of the last byte there is */

    return len > 0 && len - 1 > last ? last + 1 : len;
}

static size_t read_through(const struct gdbstub *stub, gdbstub_thread thread, uint64_t addr,
                           void *data, size_t len)
{
    const struct gdbstub_port *port = stub->port;
    size_t got = port->read_memory(port->ctx, thread, addr, data, len);

    stub_hide_breakpoints(stub, addr, data, got);
    return got;
}

size_t stub_read_memory(const struct gdbstub *stub, uint64_t addr, void *data, size_t len)
{
    return read_through(stub, stub->general, addr, data, len);
}

size_t gdbstub_read_memory(const struct gdbstub *stub, uint64_t addr, void *buf, size_t len)
{
    return read_through(stub, stub->stop.thread, addr, buf, len);
}

/* Put memory into the reply, as far as it can be read and as it fits: less than GDB asked for is
 * a proper answer, nothing of it is an error. */
static enum verdict put_memory(struct gdbstub *stub, uint64_t addr, uint64_t len,
                               bool (*put)(struct gdbstub *stub, uint8_t byte))
{
    uint8_t data[CHUNK];
    uint64_t left = stub_clip_range(addr, len);
    size_t got = CHUNK;

    for (uint64_t done = 0; done < left && got == CHUNK && stub_reply_room(stub) > 1; done += got) {
        got = stub_read_memory(stub, addr + done, data,
                               left - done < CHUNK ? (size_t)(left - done) : CHUNK);
        if (done + got == 0)
            return VERDICT_NO_ACCESS;
        for (size_t i = 0; i < got; i++) {
            if (!put(stub, data[i]))
                return VERDICT_REPLY;
        }
    }
    return VERDICT_REPLY;
}

static bool put_hex(struct gdbstub *stub, uint8_t byte)
{
    if (stub_reply_room(stub) < 2)
        return false;
    stub_put_bytes(stub, &byte, 1);
    return true;
}

/* m ADDRESS,LENGTH: hex.  No bytes asked for are no bytes sent, which GDB never does; the reply
 * looks like that of a stub without `m`. */
enum verdict stub_handle_read_hex(struct gdbstub *stub, struct args *args)
{
    uint64_t addr, len;

    if (!stub_take_range(args, &addr, &len) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    return put_memory(stub, addr, len, put_hex);
}

/* x ADDRESS,LENGTH: 'b' and binary.  LLDB has an `x` of its own, without the mark, and takes the
 * empty reply for a stub that has not got it. */
enum verdict stub_handle_read_binary(struct gdbstub *stub, struct args *args)
{
    uint64_t addr, len;

    if ((stub->client & CLIENT_GDB) == 0)
        return VERDICT_UNKNOWN;
    if (!stub_take_range(args, &addr, &len) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    stub_put_char(stub, 'b');
    return put_memory(stub, addr, len, stub_put_binary);
}

/* M and X ADDRESS,LENGTH:DATA */
static enum verdict write_memory(struct gdbstub *stub, struct args *args,
                                 bool (*take)(struct args *args, uint8_t **data, size_t *len))
{
    uint64_t addr, len;
    uint8_t *data;
    size_t got;

    if (!stub_take_range(args, &addr, &len) || !stub_take_char(args, ':') ||
        !take(args, &data, &got))
        return VERDICT_MALFORMED;
    if (got != len)
        return VERDICT_INVALID;
    if (stub_clip_range(addr, len) != len)
        return VERDICT_NO_ACCESS;
    return stub_write_memory(stub, addr, data, got) ? VERDICT_OK : VERDICT_NO_ACCESS;
}

enum verdict stub_handle_write_hex(struct gdbstub *stub, struct args *args)
{
    return write_memory(stub, args, stub_take_bytes);
}

/* GDB asks for nothing to be written to see whether there is X. */
enum verdict stub_handle_write_binary(struct gdbstub *stub, struct args *args)
{
    return write_memory(stub, args, stub_take_binary);
}
