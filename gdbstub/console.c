/*
 * console.c - text for GDB's console, in O packets as full as they get: what the running machine
 * prints, and the output of monitor commands.
 */
#include "internal.h"

static void flush(struct gdbstub *stub)
{
    if (stub->reply_length > 0)
        stub_send_reply(stub);
    stub_begin_reply(stub);
}

static void write_text(struct gdbstub *stub, const char *text, size_t len)
{
    for (; len > 0; text++, len--) {
        if (stub_reply_room(stub) < 2)
            flush(stub);
        if (stub->reply_length == 0)
            stub_put_char(stub, 'O');
        stub_put_bytes(stub, text, 1);
    }
}

bool gdbstub_print(struct gdbstub *stub, const char *text, size_t len)
{
    if (!stub->attached || !stub->running || stub->request_held || stub->closing)
        return false;
    stub_begin_reply(stub);
    write_text(stub, text, len);
    if (stub->reply_length > 0)
        stub_send_reply(stub);
    return true;
}

/* What a monitor command prints with. */
static void print(void *to, const char *text)
{
    size_t len = 0;

    while (text[len] != '\0')
        len++;
    write_text(to, text, len);
}

/* qRcmd,HEX */
enum verdict stub_handle_monitor(struct gdbstub *stub, struct request *request)
{
    const struct args *command = &request->bytes;

    command->at[command->end - command->at] = '\0'; /* `in` has room behind the request */
    bool known = stub->port->monitor(stub->port->ctx, (const char *)command->at, print, stub);
    flush(stub);
    return known ? VERDICT_OK : VERDICT_UNKNOWN;
}
