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
enum verdict stub_handle_read_hex(struct gdbstub *stub, struct request *request)
{
    return put_memory(stub, request->value[0], request->value[1], put_hex);
}

/* x ADDRESS,LENGTH: 'b' and binary.  LLDB has an `x` of its own, without the mark, and takes the
 * empty reply for a stub that has not got it. */
enum verdict stub_handle_read_binary(struct gdbstub *stub, struct request *request)
{
    if ((stub->client & CLIENT_GDB) == 0)
        return VERDICT_UNKNOWN;
    stub_put_char(stub, 'b');
    return put_memory(stub, request->value[0], request->value[1], stub_put_binary);
}

/* M ADDRESS,LENGTH:HEX */
enum verdict stub_handle_write(struct gdbstub *stub, struct request *request)
{
    uint64_t addr = request->value[0], len = request->value[1];
    const struct args *data = &request->bytes;

    if ((size_t)(data->end - data->at) != len)
        return VERDICT_INVALID;
    if (stub_clip_range(addr, len) != len || !stub_write_memory(stub, addr, data->at, (size_t)len))
        return VERDICT_NO_ACCESS;
    return VERDICT_OK;
}
