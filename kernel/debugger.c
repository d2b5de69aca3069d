/*
 * debugger.c - joins the stub to this kernel: its port, its line, its place among the traps.
 *
 * Decides which traps GDB hears of, and which CPU has the machine for it; debugger_session.c does
 * the rest.
 */
#include "debugger.h"

#include <stddef.h>

#include "arch/arch.h"
#include "console.h"
#include "debugger_fault.h"
#include "debugger_line.h"
#include "debugger_port.h"
#include "debugger_restart.h"
#include "debugger_session.h"
#include "debugger_why.h"
#include "line_option.h"
#include "log.h"
#include "stop.h"

static const uint32_t FATAL = TRAP_ANY & ~(TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_NMI) |
                                           TRAP_MASK(TRAP_BREAKPOINT) | TRAP_MASK(TRAP_DEBUG));

/* ---- Faults that GDB sees first ---- */

/* Is the kernel to go on as if the fault had not been?  If GDB says so, and if what it leaves when
 * it detaches is another place than that of the fault. */
static bool is_forgiven(const struct trap *trap, enum gdbstub_event event)
{
    if (event == GDBSTUB_RESUME)
        return debugger.machine.resume.signal == GDBSTUB_SIGNAL_NONE;
    return arch_frame_pc(trap->frame) != trap->pc;
}

static enum trap_verdict stop_at_fault(struct trap *trap)
{
    uint64_t sp = arch_frame_sp(trap->frame);
    struct gdbstub_stop why = debugger_stop(debugger_signal(trap));

    if (session_pass(trap, &why) != GDBSTUB_BREAK_IN)
        return TRAP_DECLINED;
    if (is_forgiven(trap, session_stop(trap->frame, why))) {
        debugger_keep_fault(trap, sp);
        return TRAP_HANDLED;
    }
    arch_frame_set_step(trap->frame, false);
    return debugger_deliver_fault(trap) ? TRAP_DECLINED : TRAP_HANDLED;
}

/* ---- Breakpoints and steps ---- */

/* Hand what has come to the stub.  True if it wants the machine stopped. */
static bool stop_wanted(void)
{
    int byte;

    while ((byte = arch_line_read(debugger.machine.line)) >= 0) {
        if (gdbstub_receive(&debugger.stub, (uint8_t)byte) == GDBSTUB_BREAK_IN)
            return true; /* the rest is for the stop */
    }
    return false;
}

/* A step that session_leave() asked for: the line is looked at, and if GDB did not ask for one too,
 * and there is nothing else to tell, nothing has happened.  True if so. */
static bool second_look(struct trap *trap, struct gdbstub_stop *why)
{
    session_side()->look_again = false;
    if (stop_wanted()) {
        why->signal = GDBSTUB_SIGINT;
        if (trap->kind == TRAP_BREAKPOINT)
            why->cause = GDBSTUB_CAUSE_SIGNAL; /* whatever its condition says */
    }
    if (why->signal == GDBSTUB_SIGINT || why->cause != GDBSTUB_CAUSE_SIGNAL ||
        stop_ordered(trap->cpu) == STOP_STEP || trap->kind == TRAP_BREAKPOINT)
        return false;
    arch_frame_set_step(trap->frame, false);
    return true;
}

/* Why it has stopped.  What has been written during a step was perhaps written by another CPU,
 * which is on its way to say so. */
static struct gdbstub_stop why_here(const struct trap *trap)
{
    struct gdbstub_stop why = debugger_why(trap, &debugger.stub);

    if (why.cause != GDBSTUB_CAUSE_WATCH_WRITE)
        return why;
    stop_others();
    return debugger_why(trap, &debugger.stub);
}

static enum trap_verdict stop_at_break_or_step(struct trap *trap)
{
    struct gdbstub_stop why = debugger.waiting ? debugger_stop(GDBSTUB_SIGTRAP) : why_here(trap);

    if (session_side()->look_again && second_look(trap, &why))
        return TRAP_HANDLED;
    enum gdbstub_event event = session_pass(trap, &why);
    if (event == GDBSTUB_WAIT) {
        arch_frame_set_pc(trap->frame, trap->pc);
        return TRAP_DECLINED;
    }
    if (event == GDBSTUB_BREAK_IN)
        (void)session_stop(trap->frame, why);
    if (why.cause == GDBSTUB_CAUSE_HW_BREAK)
        arch_point_told(trap->frame);
    return TRAP_HANDLED;
}

static enum trap_verdict stop_for(struct trap *trap)
{
    if ((TRAP_MASK(trap->kind) & FATAL) != 0)
        return stop_at_fault(trap);
    return stop_at_break_or_step(trap);
}

static bool is_behind_breakpoint(const struct trap *trap)
{
    return trap->kind == TRAP_BREAKPOINT && arch_frame_behind_breakpoint(trap->frame);
}

/* Another CPU has the machine.  A breakpoint is as if it had not been reached yet: if it is still
 * there afterwards, it is hit again. */
static void rewind(struct trap *trap)
{
    if (is_behind_breakpoint(trap))
        arch_frame_set_pc(trap->frame, debugger_breakpoint_of(trap));
}

/* Has a watched place been written to?  Such a trap comes once. */
static bool is_write(const struct trap *trap, uint64_t *address)
{
    enum gdbstub_point kind;

    return trap->kind == TRAP_DEBUG && arch_point_hit(trap, &kind, address) &&
           kind != GDBSTUB_POINT_EXECUTE;
}

/* Does the trap come again by itself, if what caused it is still there?  Instead of a single step,
 * GDB has had another stop. */
static bool comes_again(const struct trap *trap)
{
    return trap->kind == TRAP_DEBUG || trap->kind == TRAP_BREAKPOINT ||
           trap->class == TRAP_CLASS_FAULT;
}

/* Another CPU has the machine: let it.  Is the trap still to be told afterwards?  What GDB no
 * longer watches is not, even if it now watches something else. */
static bool outlasts_stop(struct trap *trap)
{
    uint64_t before = 0, after = 0;
    bool wrote = is_write(trap, &before);

    rewind(trap);
    stop_join(trap->frame);
    return wrote ? is_write(trap, &after) && after == before : !comes_again(trap);
}

/* Have the machine, for this trap.  False if another CPU had it, and the trap is no more. */
static bool take_machine(struct trap *trap)
{
    stop_wait_turn();
    while (!stop_take()) {
        if (!stop_is_asked(trap->cpu))
            arch_pause();
        else if (!outlasts_stop(trap))
            return false;
    }
    return true;
}

static bool is_wanted(const struct trap *trap)
{
    return gdbstub_concerned(&debugger.stub) || debugger.waiting ||
           (trap->kind == TRAP_DEBUG && debugger.sides[trap->cpu].look_again);
}

/* In the middle of a text for the line nothing stops: a step goes on to its end. */
static bool is_writing(const struct trap *trap)
{
    if (trap->kind != TRAP_DEBUG || !session_side()->writes)
        return false;
    if (arch_frame_steps(trap->frame))
        arch_frame_set_step(trap->frame, true);
    return true;
}

/* In here already: nobody can be told of a breakpoint, and no instruction may be lost by one. */
static enum trap_verdict pass_inside(struct trap *trap)
{
    if (!is_behind_breakpoint(trap) || !gdbstub_drop(&debugger.stub, debugger_breakpoint_of(trap)))
        return TRAP_DECLINED;
    arch_frame_set_pc(trap->frame, debugger_breakpoint_of(trap));
    return TRAP_HANDLED;
}

__attribute__((noinline)) static enum trap_verdict handle(struct trap *trap)
{
    enum trap_verdict verdict = TRAP_DECLINED;

    if (is_writing(trap))
        return TRAP_HANDLED;
    if (!debugger.enabled)
        return TRAP_DECLINED;
    if (debugger.holder == trap->cpu + 1)
        return pass_inside(trap);
    if (!take_machine(trap)) {
        session_go_on(session_side(), trap->frame);
        return TRAP_HANDLED;
    }
    session_enter(trap);
    if (debugger_pass_removed(trap))
        verdict = TRAP_HANDLED;
    else if (is_wanted(trap))
        verdict = stop_for(trap);
    if (verdict == TRAP_HANDLED)
        session_leave(trap->frame);
    else
        session_leave_inside(trap->frame);
    return verdict;
}

/* Without a debugger, this is all that a trap is kept for: what comes behind it stays outside. */
enum trap_verdict debugger_handle(struct trap *trap)
{
    if (!is_wanted(trap))
        return TRAP_DECLINED;
    return arch_point_is_gone(trap) ? TRAP_HANDLED : handle(trap);
}

/* ---- A byte while the kernel runs ---- */

/* Is this CPU on its way out of its last stop, its frame still to be loaded? */
static bool is_leaving(const struct trap *trap)
{
    const struct side *side = session_side();
    uint64_t frame = (uint64_t)(uintptr_t)side->left, sp = arch_frame_sp(trap->frame);
    struct arch_stack stack;

    return side->left != NULL && arch_find_stack(sp, &stack) && sp <= frame && frame < stack.top &&
           arch_frame_pc(side->left) == side->left_pc && arch_frame_sp(side->left) == side->left_sp;
}

/* Is it on its way into a stop, which will look at the line? */
static bool is_entering(const struct trap *trap)
{
    return debugger.holder == trap->cpu + 1 ||
           (gdbstub_concerned(&debugger.stub) && arch_in_debug_trap(trap->frame));
}

/* Does it stand still for another CPU, or is it about to by itself?  Who has the machine looks at
 * the line, unless it is just leaving. */
static bool is_standing(const struct trap *trap)
{
    return stop_frame(trap->cpu) != NULL || (stop_is_asked(trap->cpu) && arch_in_trap(trap->frame));
}

/* True if the kernel was stopped. */
static bool break_in(struct trap *trap)
{
    bool stops;

    if (!stop_take_or_join(trap->frame))
        return true; /* whoever had it has looked at the line */
    session_enter(trap);
    stops = stop_wanted();
    if (stops)
        (void)session_stop(trap->frame, debugger_stop(GDBSTUB_SIGINT));
    session_leave(trap->frame);
    return stops;
}

enum trap_verdict debugger_break_in(struct trap *trap)
{
    bool writes = session_side()->writes;

    if (!debugger.enabled)
        return TRAP_DECLINED;
    if (!writes && debugger.holder != trap->cpu + 1 && is_leaving(trap))
        session_look_again(session_side()->left);
    else if (writes || is_entering(trap) || is_standing(trap))
        session_side()->bytes_left = true;
    else
        (void)break_in(trap);
    return TRAP_HANDLED;
}

bool debugger_tick(struct trap *trap)
{
    struct side *side = session_side();
    bool looks = debugger.polled || side->bytes_left;

    side->bytes_left = false;
    return debugger.enabled && looks && arch_line_has_byte(debugger.machine.line) && break_in(trap);
}

/* ---- From the rest of the kernel ---- */

static bool catches(uint64_t number)
{
    return gdbstub_attached(&debugger.stub) && gdbstub_catches_syscall(&debugger.stub, number);
}

/* GDB may have gone by the time that its turn has come. */
void debugger_syscall(struct trap *trap, uint64_t number, bool entry)
{
    struct gdbstub_stop why;

    if (!debugger.enabled || !catches(number))
        return;
    while (!stop_take_or_join(trap->frame))
        ;
    session_enter(trap);
    why = debugger_stop(GDBSTUB_SIGTRAP);
    why.cause = entry ? GDBSTUB_CAUSE_SYSCALL_ENTRY : GDBSTUB_CAUSE_SYSCALL_RETURN;
    why.address = number;
    if (catches(number))
        (void)session_stop(trap->frame, why);
    session_leave_inside(trap->frame);
    arch_arm_points(trap->frame);
}

void debugger_hide_breakpoints(uint64_t address, uint8_t *data, size_t len)
{
    if (debugger.enabled)
        gdbstub_hide_breakpoints(&debugger.stub, address, data, len);
}

void debugger_init(void)
{
    struct line_choice choice = line_choose("gdb", NULL, "com2");

    if (choice.name == NULL)
        return;
    debugger.shared = choice.found && console_has(choice.line);
    if (!choice.found || (!debugger.shared && !arch_line_init(choice.line))) {
        log_print(LOG_WARNING, "gdb: there is no UART at %s", choice.name);
        return;
    }
    log_print(debugger.shared ? LOG_NOTICE : LOG_DEBUG, "gdb: on %s%s", choice.name,
              debugger.shared ? ", with the console" : "");
    debugger.machine.line = choice.line;
    debugger.machine.line_name = choice.name;
    debugger.port = debugger_port;
    debugger.port.is_terminal = debugger.shared;
    debugger.port.ctx = &debugger.machine;
    debugger.machine.stub = &debugger.stub;
    gdbstub_init(&debugger.stub, &debugger.port);
    debugger_continue_session(&debugger.machine);
    debugger.enabled = true;
    if (debugger.shared)
        console_share(debugger_line_print);
}

void debugger_listen(void)
{
    if (debugger.enabled && gdbstub_attached(&debugger.stub))
        debugger_wait(); /* it has started the kernel, and waits for it */
    if (!debugger.enabled || arch_line_break_in(debugger.machine.line, true, arch_cpu_id()))
        return;
    debugger.polled = true;
    log_print(LOG_WARNING, "gdb: the line may not interrupt: it is looked at once a tick");
}

void debugger_wait(void)
{
    if (!debugger.enabled)
        return;
    debugger.waiting = true;
    arch_breakpoint();
    debugger.waiting = false;
}
