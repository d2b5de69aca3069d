/*
 * reply.c - write a reply, compress it, frame it, send it.  Knows how things are spelled on the
 * wire, not what is said: that is for the handlers and answer.c.
 */
#include "internal.h"

/* Run-length encoding: "c*n" is c and n - 29 more of it. */
enum run_length {
    RUN_BASE = 29,
    RUN_SHORTEST = 3, /* repeats; "c*n" is three characters itself */
    RUN_LONGEST = 126 - RUN_BASE,
};

enum {
    MOST_REPEATS = 8, /* GDB asks three times, and then something else */
};

void stub_begin_reply(struct gdbstub *stub)
{
    stub->reply_length = 0;
    stub->frame_length = 0;
    stub->reply_overflow = false;
}

size_t stub_reply_room(const struct gdbstub *stub)
{
    return GDBSTUB_PACKET_SIZE - stub->reply_length;
}

void stub_put_char(struct gdbstub *stub, char c)
{
    if (stub_reply_room(stub) == 0)
        stub->reply_overflow = true;
    else
        stub->out[1 + stub->reply_length++] = (uint8_t)c;
}

void stub_put_bytes(struct gdbstub *stub, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;

    for (; len > 0; len--, byte++) {
        stub_put_char(stub, stub_hex_digit(*byte >> 4));
        stub_put_char(stub, stub_hex_digit(*byte & 15));
    }
}

bool stub_put_binary(struct gdbstub *stub, uint8_t byte)
{
    bool escaped = stub_is_one_of((char)byte, "#$}*");

    if (stub_reply_room(stub) < (escaped ? 2 : 1))
        return false;
    if (escaped)
        stub_put_char(stub, '}');
    stub_put_char(stub, (char)(escaped ? byte ^ 0x20 : byte));
    return true;
}

static void put_escaped(void *to, char c)
{
    struct gdbstub *stub = to;

    if (!stub_put_binary(stub, (uint8_t)c))
        stub->reply_overflow = true;
}

void stub_put(struct gdbstub *stub, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    stub_format(put_escaped, stub, format, values);
    va_end(values);
}

static void put_hexed(void *to, char c)
{
    stub_put_bytes(to, &c, 1);
}

void stub_put_hexed(struct gdbstub *stub, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    stub_format(put_hexed, stub, format, values);
    va_end(values);
}

void stub_put_thread(struct gdbstub *stub, gdbstub_thread thread)
{
    if (stub->client & CLIENT_MULTIPROCESS)
        stub_put(stub, "p%x.", (uint64_t)STUB_PROCESS_ID);
    stub_put(stub, "%x", thread);
}

/* How many of `repeats` one count can say; '#', '$', '+' and '-' are not allowed as counts. */
static size_t usable_repeats(size_t repeats)
{
    if (repeats > RUN_LONGEST)
        repeats = RUN_LONGEST;
    while (stub_is_one_of((char)(repeats + RUN_BASE), "#$+-"))
        repeats--;
    return repeats;
}

/* How often body[0] is repeated behind itself. */
static size_t count_repeats(const uint8_t *body, size_t len)
{
    size_t repeats = 0;

    while (repeats + 1 < len && body[repeats + 1] == body[0])
        repeats++;
    return repeats;
}

/* Compress in place; a run never grows.  An escaped character stands alone: decoders differ on
 * whether a run of it is expanded before or after the escape is undone. */
static size_t compress(uint8_t *body, size_t len)
{
    size_t from = 0, to = 0;

    while (from < len) {
        uint8_t c = body[from];
        if (c == '}' && from + 1 < len) {
            body[to++] = c;
            body[to++] = body[from + 1];
            from += 2;
            continue;
        }
        size_t repeats = count_repeats(body + from, len - from);
        body[to++] = c;
        from++;
        if (repeats >= RUN_SHORTEST) {
            repeats = usable_repeats(repeats); /* not shorter than that */
            body[to++] = '*';
            body[to++] = (uint8_t)(repeats + RUN_BASE);
            from += repeats;
        }
    }
    return to;
}

void stub_send_reply(struct gdbstub *stub)
{
    size_t len = compress(stub->out + 1, stub->reply_length);
    uint8_t *tail = stub->out + 1 + len;
    uint8_t checksum = 0;

    for (size_t i = 0; i < len; i++)
        checksum = (uint8_t)(checksum + stub->out[1 + i]);
    stub->out[0] = '$';
    tail[0] = '#';
    tail[1] = (uint8_t)stub_hex_digit(checksum >> 4);
    tail[2] = (uint8_t)stub_hex_digit(checksum & 15);
    stub->frame_length = len + 4;
    stub->repeats = 0;
    if (!stub->no_ack)
        stub->unacked++;
    stub->statistics.replies++;
    stub->statistics.bytes_sent += stub->frame_length;
    stub->port->send(stub->port->ctx, stub->out, stub->frame_length);
}

void stub_repeat_reply(struct gdbstub *stub)
{
    if (stub->frame_length > 0 && stub->repeats++ < MOST_REPEATS)
        stub->port->send(stub->port->ctx, stub->out, stub->frame_length);
}
