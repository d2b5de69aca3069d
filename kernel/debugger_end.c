/*
 * debugger_end.c - what GDB hears, and what it may still do, when the kernel comes to its end.
 */
#include "debugger.h"

#include "arch/arch.h"
#include "debugger_fault.h"
#include "debugger_line.h"
#include "debugger_session.h"
#include "debugger_why.h"
#include "stop.h"
#include "thread.h"

enum debugger_limits {
    EXIT_POLLS = 1 << 20, /* how long an exit waits to be acknowledged */
};

static bool has_gdb(void)
{
    return debugger.enabled && gdbstub_attached(&debugger.stub);
}

/* Wait, for a bounded time, until GDB has acknowledged what it was told. */
static void wait_for_ack(void)
{
    for (int i = 0; i < EXIT_POLLS && gdbstub_attached(&debugger.stub); i++) {
        int byte = arch_line_read(debugger.machine.line);

        if (byte >= 0)
            (void)gdbstub_receive(&debugger.stub, (uint8_t)byte);
    }
    arch_line_flush(debugger.machine.line);
}

void debugger_exited(uint8_t status)
{
    if (!has_gdb())
        return;
    while (!stop_take()) /* who has it may be in the middle of a packet */
        arch_pause();
    (void)arch_interrupts_disable(); /* nothing else is to begin */
    debugger.holder = arch_cpu_id() + 1;
    stop_others();
    if (gdbstub_exited(&debugger.stub, status))
        wait_for_ack();
}

/* Has GDB every other thread stay as it is? */
static bool runs_alone(const struct thread *me)
{
    for (const struct thread *thread = thread_next(NULL); thread != NULL;
         thread = thread_next(thread)) {
        bool held = thread->state == THREAD_RUNNING ? stop_holds(thread->cpu) : thread->held;

        if (thread != me && thread->state != THREAD_ENDED && !held)
            return false;
    }
    return true;
}

void debugger_thread_ends(void)
{
    if (has_gdb() && runs_alone(thread_current()))
        arch_breakpoint();
}

void debugger_killed(const struct trap *trap)
{
    if (!has_gdb())
        return;
    if (gdbstub_killed(&debugger.stub, debugger_signal(trap)))
        wait_for_ack();
}

void debugger_mute(void)
{
    debugger.holder = arch_cpu_id() + 1;
    if (!debugger.enabled)
        return;
    if (!debugger.muted)
        debugger_line_take();
    debugger.muted = true;
    (void)arch_line_break_in(debugger.machine.line, false, 0);
}

void debugger_examine(struct trap *trap)
{
    if (debugger.enabled)
        (void)session_stop(trap->frame, debugger_stop(debugger_signal(trap)));
}
