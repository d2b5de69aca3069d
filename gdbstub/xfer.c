/*
 * xfer.c - qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH: large objects in pieces.
 *
 * What the stub makes itself is generated anew for each piece, and only the piece is kept: no
 * buffer, no state.  The rest are objects of the port.
 */
#include "internal.h"

static const struct xfer {
    const char *name;
    bool (*write)(struct window *window, struct args annex);
    const char *kind; /* instead: what an object's name begins with */
    bool of_process;  /* the annex is a process: there is one */
} xfers[] = {
    {"features", stub_describe_target, NULL, false},
    {"threads", stub_describe_threads, NULL, false},
    {"memory-map", stub_describe_memory, NULL, false},
    {"exec-file", NULL, "exec-file/", true},
    {"osdata", NULL, "osdata/", false},
};

enum {
    XFERS = sizeof(xfers) / sizeof(xfers[0]),
};

static void put(void *to, char c)
{
    struct window *window = to;

    if (window->skip > 0) {
        window->skip--;
    } else if (window->room > 0 && stub_put_binary(window->stub, (uint8_t)c)) {
        window->room--;
    } else {
        window->room = 0; /* the piece has no gaps */
        window->more = true;
    }
}

void stub_window_put(struct window *window, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    stub_format(put, window, format, values);
    va_end(values);
}

void stub_window_attribute(struct window *window, const char *name, const char *value)
{
    if (value != NULL)
        stub_window_put(window, " %s=\"%q\"", name, value);
}

/* Has the port what it takes? */
static bool is_offered(const struct gdbstub *stub, const struct xfer *xfer)
{
    struct args nothing = {NULL, NULL};

    if (xfer->write == stub_describe_memory)
        return stub->port->arch->address_count > 0;
    return xfer->kind == NULL || stub_find_object(stub, xfer->kind, nothing) != NULL;
}

void stub_put_objects(struct gdbstub *stub)
{
    for (size_t i = 0; i < XFERS; i++) {
        if (is_offered(stub, &xfers[i]))
            stub_put(stub, ";qXfer:%s:read+", xfers[i].name);
    }
}

/* Write the piece.  False if there is no such annex. */
static bool write_piece(struct window *window, const struct xfer *xfer, struct args annex)
{
    const struct gdbstub_object *object;

    if (xfer->write != NULL)
        return xfer->write(window, annex);
    if (xfer->of_process)
        (void)stub_take_item(&annex, ':');
    object = stub_find_object(window->stub, xfer->kind, annex);
    if (object == NULL)
        return false;
    stub_put_object(window->stub, object, window->skip, window->room, &window->more);
    return true;
}

enum verdict stub_handle_xfer(struct gdbstub *stub, struct request *request)
{
    struct window window = {.stub = stub};
    struct args object = stub_take_item(&request->args, ':');
    struct args operation = stub_take_item(&request->args, ':');
    struct args annex = stub_take_item(&request->args, ':');

    if (!stub_is(operation, "read"))
        return VERDICT_UNKNOWN;
    for (size_t i = 0; i < XFERS; i++) {
        if (!stub_is(object, xfers[i].name) || !is_offered(stub, &xfers[i]))
            continue;
        if (!stub_take(request, "#,#$"))
            return VERDICT_MALFORMED;
        window.skip = request->value[0];
        window.room = request->value[1];
        stub_put_char(stub, 'm');
        if (!write_piece(&window, &xfers[i], annex))
            return VERDICT_NO_OBJECT;
        if (!window.more)
            stub->out[1] = 'l';
        return VERDICT_REPLY;
    }
    return VERDICT_UNKNOWN;
}
