/*
 * description.c - the target description: the port's register table as GDB's XML.
 *
 * Registers need no numbers there: GDB counts them from 0 in the order of the table.
 */
#include "internal.h"

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

    stub_window_put(window, "<reg name=\"%q\"", reg->name);
    if (all || reg->bits != first->bits)
        stub_window_put(window, " bitsize=\"%u\"", (uint64_t)reg->bits);
    if (all || !is_same(type_of(reg), type_of(first)))
        stub_window_attribute(window, "type", type_of(reg));
    stub_window_attribute(window, "group", reg->group);
    stub_window_put(window, "/>");
}

/* What most registers share is said once, as defaults: those of the first. */
static void describe_defaults(struct window *window, const struct gdbstub_register *first)
{
    if (knows_defaults(window))
        stub_window_put(window,
                        "<!DOCTYPE target[<!ATTLIST reg bitsize CDATA \"%u\" type CDATA \"%s\">]>",
                        (uint64_t)first->bits, type_of(first));
    stub_window_put(window, "<target>");
}

static void describe_registers(struct window *window, const struct gdbstub_arch *arch)
{
    for (size_t i = 0; i < arch->register_count; i++) {
        const struct gdbstub_register *reg = &arch->registers[i];
        if (i == 0 || reg->feature != reg[-1].feature) {
            const struct gdbstub_feature *feature = &arch->features[reg->feature];
            stub_window_put(window, i == 0 ? "" : "</feature>");
            stub_window_put(window, "<feature name=\"%q\">%s", feature->name, feature->types);
        }
        describe_register(window, arch, reg);
    }
    stub_window_put(window, "</feature>");
}

bool stub_describe_target(struct window *window, struct args annex)
{
    const struct gdbstub_arch *arch = window->stub->port->arch;

    if (!stub_is(annex, "target.xml"))
        return false;
    describe_defaults(window, &arch->registers[0]);
    stub_window_put(window, "<architecture>%s</architecture>", arch->architecture);
    if (arch->osabi != NULL)
        stub_window_put(window, "<osabi>%s</osabi>", arch->osabi);
    if (arch->feature_count > 0)
        describe_registers(window, arch);
    stub_window_put(window, "</target>");
    return true;
}
