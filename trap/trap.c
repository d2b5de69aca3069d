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
    for (size_t i = 0; i < table.count; i++) {
        const struct trap_handler *handler = &table.handlers[i];

        if ((handler->kinds & TRAP_MASK(trap->kind)) != 0 && handler->handle(trap) == TRAP_HANDLED)
            return true;
    }
    return false;
}
