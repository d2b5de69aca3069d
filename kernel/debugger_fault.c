/*
 * debugger_fault.c - faults between their stop in GDB and their delivery to the kernel.
 */
#include "debugger_fault.h"

#include "arch/arch.h"

/* A fault that GDB has not passed on, and the stack pointer that came with it. */
static struct {
    struct trap trap; /* name NULL: there is none */
    uint64_t sp;
} undelivered;

enum gdbstub_signal debugger_signal(const struct trap *trap)
{
    static const uint8_t signals[TRAP_KINDS] = {
        [TRAP_INTERRUPT] = GDBSTUB_SIGINT,   [TRAP_NMI] = GDBSTUB_SIGINT,
        [TRAP_BREAKPOINT] = GDBSTUB_SIGTRAP, [TRAP_DEBUG] = GDBSTUB_SIGTRAP,
        [TRAP_ARITHMETIC] = GDBSTUB_SIGFPE,  [TRAP_INSTRUCTION] = GDBSTUB_SIGILL,
        [TRAP_PAGE_FAULT] = GDBSTUB_SIGSEGV, [TRAP_PROTECTION] = GDBSTUB_SIGSEGV,
        [TRAP_MACHINE] = GDBSTUB_SIGBUS,     [TRAP_DOUBLE] = GDBSTUB_SIGSEGV,
        [TRAP_PANIC] = GDBSTUB_SIGABRT,
    };

    return signals[trap->kind];
}

/* An inferior call returns to a breakpoint on the stack, which is not executable: the fault that
 * this gives is GDB's own. */
static bool is_call_return(const struct trap *trap)
{
    struct arch_stack stack;

    return (trap->access & TRAP_ACCESS_EXECUTE) != 0 && arch_find_stack(trap->pc, &stack);
}

void debugger_keep_fault(const struct trap *trap, uint64_t sp)
{
    if (is_call_return(trap))
        return;
    undelivered.trap = *trap;
    undelivered.sp = sp;
}

static bool is_kept_one(const struct trap_frame *frame)
{
    return undelivered.trap.name != NULL && undelivered.trap.pc == arch_frame_pc(frame) &&
           undelivered.sp == arch_frame_sp(frame);
}

/* A GDB that has attached since then does not know what the call's end was. */
bool debugger_deliver_fault(struct trap *trap)
{
    struct trap_frame *frame = trap->frame;

    if (trap->pc == arch_frame_pc(frame))
        return true;
    if (!is_kept_one(frame))
        return !is_call_return(trap);
    *trap = undelivered.trap;
    trap->frame = frame;
    return true;
}
