/*
 * debugger_why.c - why the machine has stopped, in the stub's words.  Decides nothing.
 */
#include "debugger_why.h"

#include "arch/arch.h"
#include "debugger_port.h"

struct gdbstub_stop debugger_stop(enum gdbstub_signal signal)
{
    return (struct gdbstub_stop){
        .cause = GDBSTUB_CAUSE_SIGNAL, .signal = signal, .thread = debugger_current_thread()};
}

/* The reported pc is at the breakpoint instruction: behind a planted one the program has not got,
 * and GDB steps past the kernel's own by itself. */
static struct gdbstub_stop why_breakpoint(const struct trap *trap, const struct gdbstub *stub)
{
    struct gdbstub_stop why = debugger_stop(GDBSTUB_SIGTRAP);
    uint64_t at = debugger_breakpoint_of(trap);

    if (gdbstub_planted(stub, at) || arch_frame_behind_breakpoint(trap->frame)) {
        why.cause = GDBSTUB_CAUSE_SW_BREAK;
        arch_frame_set_pc(trap->frame, at);
    }
    return why;
}

/* A hardware point or a step: both trap alike. */
static struct gdbstub_stop why_debug(const struct trap *trap)
{
    static const uint8_t causes[] = {
        [GDBSTUB_POINT_EXECUTE] = GDBSTUB_CAUSE_HW_BREAK,
        [GDBSTUB_POINT_WRITE] = GDBSTUB_CAUSE_WATCH_WRITE,
        [GDBSTUB_POINT_ACCESS] = GDBSTUB_CAUSE_WATCH_ACCESS,
    };
    struct gdbstub_stop why = debugger_stop(GDBSTUB_SIGTRAP);
    enum gdbstub_point kind;

    if (arch_point_hit(trap, &kind, &why.address))
        why.cause = causes[kind];
    return why;
}

struct gdbstub_stop debugger_why(const struct trap *trap, const struct gdbstub *stub)
{
    return trap->kind == TRAP_BREAKPOINT ? why_breakpoint(trap, stub) : why_debug(trap);
}
