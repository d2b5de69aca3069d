/*
 * trap.c - ask each handler in turn.  Policy is the table's; nothing is decided here.
 */
#include "trap.h"

/* So that the linker can tell it from what a debugger at work needs. */
#define APART __attribute__((section(".text.ordinary")))

static struct {
    const struct trap_handler *handlers;
    size_t count;
} table;

void trap_init(const struct trap_handler *handlers, size_t count)
{
    table.handlers = handlers;
    table.count = count;
}

/* Inlined: each dispatcher has code of its own. */
__attribute__((always_inline)) static inline bool ask_handlers(struct trap *trap)
{
    for (size_t i = 0; i < table.count; i++) {
        const struct trap_handler *handler = &table.handlers[i];

        if ((handler->kinds & TRAP_MASK(trap->kind)) != 0 && handler->handle(trap) == TRAP_HANDLED)
            return true;
    }
    return false;
}

bool trap_dispatch(struct trap *trap)
{
    return ask_handlers(trap);
}

APART bool trap_dispatch_ordinary(struct trap *trap)
{
    return ask_handlers(trap);
}
