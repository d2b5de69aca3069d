/*
 * debugger_why.h - traps in the stub's words.
 */
#ifndef KERNEL_DEBUGGER_WHY_H
#define KERNEL_DEBUGGER_WHY_H

#include "arch/arch.h"
#include "gdbstub/gdbstub.h"
#include "trap/trap.h"

/* A stop of which the signal says all. */
struct gdbstub_stop debugger_stop(enum gdbstub_signal signal);

/* Where the breakpoint instruction is that TRAP_BREAKPOINT stands behind. */
static inline uint64_t debugger_breakpoint_of(const struct trap *trap)
{
    return trap->pc - arch_gdb.breakpoint_size;
}

/* Why TRAP_BREAKPOINT or TRAP_DEBUG trapped.  At a breakpoint, the frame's pc is set back to it. */
struct gdbstub_stop debugger_why(const struct trap *trap, const struct gdbstub *stub);

#endif
