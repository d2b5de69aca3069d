/*
 * xfer.c - qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH: large objects in pieces.
 *
 * What the stub makes itself is generated anew for each piece, and only the piece is kept: no
 * buffer, no state.  The rest are objects of the port.
 */
#include "internal.h"

static const struct xfer {
    const char *name;
    bool (*write)(struct window *window, struct args *annex);
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

static void window_byte(struct window *window, uint8_t byte)
{
    if (window->skip > 0) {
        window->skip--;
    } else if (window->room > 0 && stub_put_binary(window->stub, byte)) {
        window->room--;
    } else {
        window->room = 0; /* the piece has no gaps */
        window->more = true;
    }
}

void stub_window_text(struct window *window, const char *text)
{
    for (; *text != '\0'; text++)
        window_byte(window, (uint8_t)*text);
}

void stub_window_escaped(struct window *window, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        bool plain = c >= ' ' && c <= '~' && c != '<' && c != '&' && c != '"';
        window_byte(window, plain ? c : '_');
    }
}

void stub_window_decimal(struct window *window, uint64_t value)
{
    char digits[STUB_DECIMAL_BYTES];

    stub_window_text(window, stub_decimal(value, digits + sizeof(digits)));
}

void stub_window_hex(struct window *window, uint64_t value)
{
    unsigned shift = 64;

    do {
        shift -= 4;
        if (shift == 0 || value >> shift != 0)
            window_byte(window, (uint8_t)stub_hex_digit(value >> shift & 15));
    } while (shift > 0);
}

void stub_window_attribute(struct window *window, const char *name, const char *value)
{
    if (value == NULL)
        return;
    stub_window_text(window, " ");
    stub_window_text(window, name);
    stub_window_text(window, "=\"");
    stub_window_escaped(window, value);
    stub_window_text(window, "\"");
}

/* Has the port what it takes? */
static bool is_offered(const struct gdbstub *stub, const struct xfer *xfer)
{
    struct args nothing = {NULL, NULL};

    if (xfer->write == stub_describe_memory)
        return stub->port->arch->address_count > 0;
    return xfer->kind == NULL || stub_find_object(stub, xfer->kind, &nothing) != NULL;
}

void stub_put_objects(struct gdbstub *stub)
{
    for (size_t i = 0; i < XFERS; i++) {
        if (!is_offered(stub, &xfers[i]))
            continue;
        stub_put_text(stub, ";qXfer:");
        stub_put_text(stub, xfers[i].name);
        stub_put_text(stub, ":read+");
    }
}

/* Write the piece.  False if there is no such annex. */
static bool write_piece(struct window *window, const struct xfer *xfer, struct args *annex)
{
    const struct gdbstub_object *object;

    if (xfer->write != NULL)
        return xfer->write(window, annex);
    if (xfer->of_process)
        (void)stub_take_item(annex, ':');
    object = stub_find_object(window->stub, xfer->kind, annex);
    if (object == NULL)
        return false;
    stub_put_object(window->stub, object, window->skip, window->room, &window->more);
    return true;
}

enum verdict stub_handle_xfer(struct gdbstub *stub, struct args *args)
{
    struct window window = {.stub = stub};

    if (!stub_take_char(args, ':'))
        return VERDICT_MALFORMED;
    struct args object = stub_take_item(args, ':');
    struct args operation = stub_take_item(args, ':');
    struct args annex = stub_take_item(args, ':');
    if (!stub_take_text(&operation, "read") || !stub_at_end(&operation))
        return VERDICT_UNKNOWN;
    for (size_t i = 0; i < XFERS; i++) {
        struct args name = object;
        if (!stub_take_text(&name, xfers[i].name) || !stub_at_end(&name) ||
            !is_offered(stub, &xfers[i]))
            continue;
        if (!stub_take_range(args, &window.skip, &window.room) || !stub_at_end(args))
            return VERDICT_MALFORMED;
        stub_put_char(stub, 'm');
        if (!write_piece(&window, &xfers[i], &annex))
            return VERDICT_NO_OBJECT;
        if (!window.more)
            stub->out[1] = 'l';
        return VERDICT_REPLY;
    }
    return VERDICT_UNKNOWN;
}
