/*
 * debugger_pass.c - traps that GDB need not hear of, dealt with by the CPU that they happen on: a
 * breakpoint whose condition is false, a step that ends inside the range that GDB steps through.
 *
 * Has not got the machine, and stops nobody: it reads what changes only while all CPUs stand still.
 * One that is asked to stand still does so before it comes here, or after.  Whatever else there may
 * be to do, debugger.c does.
 */
#include "debugger.h"

#include <stddef.h>

#include "arch/arch.h"
#include "debugger_port.h"
#include "debugger_session.h"
#include "debugger_why.h"
#include "schedule.h"
#include "stop.h"

/* Is there something else to do first?  Bytes have come, or another CPU wants the machine. */
static bool is_busy(const struct trap *trap, const struct side *side)
{
    return debugger.holder == trap->cpu + 1 || side->look_again || side->bytes_left ||
           stop_is_asked(trap->cpu);
}

struct hit {
    struct debugger_machine here;
    uint64_t pc;
    bool passed;
};

static void ask(void *argument)
{
    struct hit *hit = argument;

    hit->passed = gdbstub_passes(&debugger.stub, &hit->here, hit->here.thread, hit->pc);
}

/* The condition is to see the pc where the breakpoint is. */
__attribute__((noinline)) static enum trap_verdict pass_hit(struct trap *trap, struct side *side)
{
    struct hit hit;
    struct trap caught;

    debugger_look_here(&hit.here, trap);
    hit.pc = debugger_breakpoint_of(trap);
    arch_frame_set_pc(trap->frame, hit.pc);
    if (!arch_guard(ask, &hit, &caught) || !hit.passed) {
        arch_frame_set_pc(trap->frame, trap->pc);
        return TRAP_DECLINED;
    }
    session_go_on(side, trap->frame);
    return TRAP_HANDLED;
}

__attribute__((noinline)) bool debugger_pass_removed(struct trap *trap)
{
    if (trap->kind != TRAP_BREAKPOINT || !arch_frame_behind_removed(trap->frame))
        return false;
    arch_frame_set_pc(trap->frame, debugger_breakpoint_of(trap));
    return true;
}

/* A debugger that has had the machine may have left while this CPU was on its way here. */
static bool is_left_behind(struct trap *trap)
{
    return debugger.machine.frame != NULL && debugger_pass_removed(trap);
}

enum trap_verdict debugger_pass_breakpoint(struct trap *trap)
{
    struct side *side = &debugger.sides[trap->cpu];

    if (!gdbstub_concerned(&debugger.stub))
        return is_left_behind(trap) ? TRAP_HANDLED : TRAP_DECLINED;
    if (debugger.waiting || is_busy(trap, side) || stop_ordered(trap->cpu) != STOP_RUN)
        return TRAP_DECLINED;
    return pass_hit(trap, side);
}

/* What comes on the line meanwhile is for the next step to see. */
enum trap_verdict debugger_pass_step(struct trap *trap)
{
    struct side *side = &debugger.sides[trap->cpu];

    if (trap->pc - side->range_start >= side->range_bytes || is_busy(trap, side) ||
        side->stepped != schedule_cpu(trap->cpu)->current || !arch_step_on(trap))
        return TRAP_DECLINED;
    session_let_interrupts_in(side, OPEN_STEPS);
    return TRAP_HANDLED;
}
