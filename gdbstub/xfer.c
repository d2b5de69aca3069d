/*
 * xfer.c - qXfer:OBJECT:read:ANNEX:OFFSET,LENGTH: large objects in pieces.
 *
 * An object is generated anew for each piece, and only the piece is kept: no buffer, no state.
 */
#include "internal.h"

static const struct {
    const char *name;
    bool (*write)(struct window *window, struct args *annex);
} objects[] = {
    {"features", stub_describe_target},
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
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        struct args name = object;
        if (!stub_take_text(&name, objects[i].name) || !stub_at_end(&name))
            continue;
        if (!stub_take_range(args, &window.skip, &window.room) || !stub_at_end(args))
            return VERDICT_MALFORMED;
        stub_put_char(stub, 'm');
        if (!objects[i].write(&window, &annex))
            return VERDICT_NO_OBJECT;
        if (!window.more)
            stub->out[1] = 'l';
        return VERDICT_REPLY;
    }
    return VERDICT_UNKNOWN;
}
