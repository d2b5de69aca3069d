/*
 * description.c - the target description: the port's register table as GDB's XML.
 *
 * Registers need no numbers there: GDB counts them from 0 in the order of the table.
 */
#include "internal.h"

static void attribute(struct window *window, const char *name, const char *value)
{
    if (value == NULL)
        return;
    stub_window_text(window, " ");
    stub_window_text(window, name);
    stub_window_text(window, "=\"");
    stub_window_text(window, value);
    stub_window_text(window, "\"");
}

static void element(struct window *window, const char *name, const char *value)
{
    if (value == NULL)
        return;
    stub_window_text(window, "<");
    stub_window_text(window, name);
    stub_window_text(window, ">");
    stub_window_text(window, value);
    stub_window_text(window, "</");
    stub_window_text(window, name);
    stub_window_text(window, ">");
}

static void describe_register(struct window *window, const struct gdbstub_register *reg)
{
    char bits[] = {(char)('0' + reg->bits / 100 % 10), (char)('0' + reg->bits / 10 % 10),
                   (char)('0' + reg->bits % 10), '\0'};
    const char *number = bits;

    while (*number == '0' && number[1] != '\0')
        number++;
    stub_window_text(window, "<reg");
    attribute(window, "name", reg->name);
    attribute(window, "bitsize", number);
    attribute(window, "type", reg->type);
    attribute(window, "group", reg->group);
    stub_window_text(window, "/>");
}

bool stub_describe_target(struct window *window, struct args *annex)
{
    const struct gdbstub_arch *arch = window->stub->port->arch;

    if (!stub_take_text(annex, "target.xml") || !stub_at_end(annex))
        return false;
    stub_window_text(window, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
                             "<target>");
    element(window, "architecture", arch->architecture);
    element(window, "osabi", arch->osabi);
    for (size_t i = 0; i < arch->register_count; i++) {
        const struct gdbstub_register *reg = &arch->registers[i];
        if (i == 0 || reg->feature != reg[-1].feature) {
            stub_window_text(window, i == 0 ? "<feature" : "</feature><feature");
            attribute(window, "name", arch->features[reg->feature].name);
            stub_window_text(window, ">");
            stub_window_text(window, arch->features[reg->feature].types);
        }
        describe_register(window, reg);
    }
    stub_window_text(window, "</feature></target>");
    return true;
}
