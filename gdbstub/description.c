/*
 * description.c - the target description: the port's register table as GDB's XML.
 *
 * Registers need no numbers there: GDB counts them from 0 in the order of the table.
 */
#include "internal.h"

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

static bool is_same(const char *a, const char *b)
{
    for (; *a != '\0' && *a == *b; a++)
        b++;
    return *a == *b;
}

/* LLDB takes an attribute that is not said for an empty one. */
static bool knows_defaults(const struct window *window)
{
    return (window->stub->client & CLIENT_GDB) != 0;
}

/* GDB's default is "int"; the description's is the type of its first register. */
static const char *type_of(const struct gdbstub_register *reg)
{
    return reg->type == NULL ? "int" : reg->type;
}

static void describe_register(struct window *window, const struct gdbstub_arch *arch,
                              const struct gdbstub_register *reg)
{
    const struct gdbstub_register *first = &arch->registers[0];
    bool all = !knows_defaults(window);

    stub_window_text(window, "<reg");
    stub_window_attribute(window, "name", reg->name);
    if (all || reg->bits != first->bits) {
        stub_window_text(window, " bitsize=\"");
        stub_window_decimal(window, reg->bits);
        stub_window_text(window, "\"");
    }
    if (all || !is_same(type_of(reg), type_of(first)))
        stub_window_attribute(window, "type", type_of(reg));
    stub_window_attribute(window, "group", reg->group);
    stub_window_text(window, "/>");
}

/* What most registers share is said once, as defaults: those of the first. */
static void describe_defaults(struct window *window, const struct gdbstub_register *first)
{
    if (!knows_defaults(window)) {
        stub_window_text(window, "<target>");
        return;
    }
    stub_window_text(window, "<!DOCTYPE target[<!ATTLIST reg bitsize CDATA \"");
    stub_window_decimal(window, first->bits);
    stub_window_text(window, "\" type CDATA \"");
    stub_window_text(window, type_of(first));
    stub_window_text(window, "\">]><target>");
}

static void describe_registers(struct window *window, const struct gdbstub_arch *arch)
{
    for (size_t i = 0; i < arch->register_count; i++) {
        const struct gdbstub_register *reg = &arch->registers[i];
        if (i == 0 || reg->feature != reg[-1].feature) {
            stub_window_text(window, i == 0 ? "<feature" : "</feature><feature");
            stub_window_attribute(window, "name", arch->features[reg->feature].name);
            stub_window_text(window, ">");
            stub_window_text(window, arch->features[reg->feature].types);
        }
        describe_register(window, arch, reg);
    }
    stub_window_text(window, "</feature>");
}

bool stub_describe_target(struct window *window, struct args *annex)
{
    const struct gdbstub_arch *arch = window->stub->port->arch;

    if (!stub_take_text(annex, "target.xml") || !stub_at_end(annex))
        return false;
    describe_defaults(window, &arch->registers[0]);
    element(window, "architecture", arch->architecture);
    element(window, "osabi", arch->osabi);
    if (arch->feature_count > 0)
        describe_registers(window, arch);
    stub_window_text(window, "</target>");
    return true;
}
