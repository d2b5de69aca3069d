/*
 * trap.c - ask each handler in turn.  Policy is the table's; nothing is decided here.
 */
#include "trap.h"

static struct {
    const struct trap_handler *handlers;
    size_t count;
} table;

void trap_init(const struct trap_handler *handlers, size_t count)
{
    table.handlers = handlers;
    table.count = count;
}

bool trap_dispatch(struct trap *trap)
{
    const struct trap_handler *end = table.handlers + table.count;
    uint32_t kind = TRAP_MASK(trap->kind);

    for (const struct trap_handler *handler = table.handlers; handler < end; handler++) {
        if ((handler->kinds & kind) != 0 && handler->handle(trap) == TRAP_HANDLED)
            return true;
    }
    return false;
}
