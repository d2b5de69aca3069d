/*
 * traps.c - THE trap table: who is asked about a trap, in which order.  All policy is these rows.
 */
#include "traps.h"

#include "arch/arch.h"
#include "crash.h"
#include "crash_guard.h"
#include "debugger.h"
#include "log.h"

enum trap_masks {
    NOT_ASYNCHRONOUS = TRAP_ANY & ~(TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_NMI)),
    BREAKPOINTS = TRAP_MASK(TRAP_BREAKPOINT) | TRAP_MASK(TRAP_DEBUG),
};

static enum trap_verdict recover(struct trap *trap)
{
    return arch_recover(trap) ? TRAP_HANDLED : TRAP_DECLINED;
}

/* No device has a handler yet, so what arrives is spurious. */
static enum trap_verdict interrupt(struct trap *trap)
{
    log_print(LOG_NOTICE, "spurious interrupt, vector %u", trap->vector);
    return TRAP_HANDLED;
}

/* Nobody is debugging: a breakpoint is worth a line, and the kernel goes on behind it. */
static enum trap_verdict log_breakpoint(struct trap *trap)
{
    arch_frame_set_step(trap->frame, false);
    log_print(LOG_NOTICE, "%s at pc 0x%lx, sp 0x%lx, fp 0x%lx: no debugger, going on", trap->name,
              trap->pc, arch_frame_sp(trap->frame), arch_frame_fp(trap->frame));
    return TRAP_HANDLED;
}

static const struct trap_handler handlers[] = {
    {"recover", NOT_ASYNCHRONOUS, recover}, /* copies and calls that may fail */
    {"interrupt", TRAP_MASK(TRAP_INTERRUPT), interrupt},
    {"watchdog", TRAP_MASK(TRAP_NMI), crash_watch},       /* while a record is written */
    {"break-in", TRAP_MASK(TRAP_NMI), debugger_break_in}, /* a byte from the debugger */
    {"debugger", NOT_ASYNCHRONOUS, debugger_handle},      /* if one is attached, it is first */
    {"breakpoint", BREAKPOINTS, log_breakpoint},
    {"crash", TRAP_ANY, crash_handle}, /* never returns */
};

void traps_init(void)
{
    trap_init(handlers, sizeof(handlers) / sizeof(handlers[0]));
}
