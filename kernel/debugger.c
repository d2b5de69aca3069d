/*
 * debugger.c - joins the stub to this kernel: its port, its line, its place among the traps.
 *
 * Runs with the machine stopped, on the debugger's own stack, and takes no lock.  A fault in here
 * or in the stub costs the request that caused it (serve()), never the kernel.
 */
#include "debugger.h"

#include <stddef.h>

#include "arch/arch.h"
#include "command_line.h"
#include "console.h"
#include "debugger_fault.h"
#include "debugger_port.h"
#include "debugger_restart.h"
#include "log.h"

enum debugger_limits {
    EXIT_POLLS = 1 << 20, /* how long an exit waits to be acknowledged */
};

static const uint32_t FATAL = TRAP_ANY & ~(TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_NMI) |
                                           TRAP_MASK(TRAP_BREAKPOINT) | TRAP_MASK(TRAP_DEBUG));

static struct {
    struct gdbstub stub;
    struct gdbstub_port port;
    bool enabled;
    bool waiting; /* debugger_wait(): stop although nobody is attached yet */

    bool active;      /* the stub has control: a break-in leaves the bytes to it */
    bool line_closed; /* ... and polls: bytes break in no longer */
    bool bytes_left;  /* a break-in has left bytes: nobody has looked at them yet */
    bool look_again;  /* one step after leaving, look at the bytes that came meanwhile */

    struct debugger_machine machine;
    uint64_t left_pc, left_sp; /* what the frame held when the stop ended */
} debugger;

/* ---- One stop: serve GDB until it lets the machine go ---- */

struct stop {
    struct gdbstub_stop why;
    uint8_t byte;
    enum gdbstub_event event;
};

static void receive(void *argument)
{
    struct stop *stop = argument;

    stop->event = gdbstub_receive(&debugger.stub, stop->byte);
}

static void begin(void *argument)
{
    struct stop *stop = argument;

    stop->event = gdbstub_stopped(&debugger.stub, &stop->why);
}

/* A fault below costs the request only. */
static void guarded(void (*step)(void *), struct stop *stop)
{
    struct trap caught;
    char text[128];

    stop->event = GDBSTUB_WAIT;
    if (arch_guard(step, stop, &caught))
        return;
    arch_describe_trap(&caught, text, sizeof(text));
    gdbstub_abandon(&debugger.stub, text[0] != '\0' ? text : caught.name);
}

static void serve(void *argument)
{
    struct stop *stop = argument;

    guarded(begin, stop);
    if (stop->event == GDBSTUB_RESUME)
        return; /* a step inside a range: GDB does not hear of it */
    (void)arch_line_break_in(debugger.machine.line, false); /* polling is cheaper */
    debugger.line_closed = true;
    while (stop->event == GDBSTUB_WAIT && !debugger.machine.reboot) {
        int byte = arch_line_read(debugger.machine.line);

        if (byte < 0) {
            arch_pause();
            continue;
        }
        stop->byte = (uint8_t)byte;
        guarded(receive, stop);
    }
}

_Noreturn static void leave_for_good(void)
{
    arch_line_flush(debugger.machine.line);
    arch_exit_emulator(0);
    arch_reset();
}

/* Look at the line once more when one instruction of the frame has run. */
static void look_again_after_step(void)
{
    debugger.look_again = true;
    arch_frame_set_step(debugger.machine.frame, true);
}

/* The last thing before the way out.  What comes while the line is being opened is seen one step
 * later, so that GDB never finds the kernel stopped in here. */
static void leave(void)
{
    debugger.left_pc = arch_frame_pc(debugger.machine.frame);
    debugger.left_sp = arch_frame_sp(debugger.machine.frame);
    if (debugger.line_closed || debugger.bytes_left) {
        debugger.line_closed = false;
        debugger.bytes_left = false;
        (void)arch_line_break_in(debugger.machine.line, true);
    }
    debugger.active = false;
    if (debugger.bytes_left)
        look_again_after_step();
}

/* Is GDB's step over without anything having run? */
static bool is_stepped(struct trap_frame *frame)
{
    return debugger.machine.resume.action == GDBSTUB_STEP && arch_step_without_running(frame);
}

/* Let GDB have the machine.  Returns what it wants of it. */
static enum gdbstub_event stop_machine(struct trap *trap, struct gdbstub_stop why)
{
    struct stop stop = {.why = why};

    debugger.look_again = false;
    debugger.machine.frame = trap->frame;
    debugger.machine.resume = (struct gdbstub_resume){GDBSTUB_RUN, GDBSTUB_SIGNAL_NONE};
    arch_frame_set_step(trap->frame, false);
    do {
        arch_call_on_stack(ARCH_STACK_DEBUGGER, serve, &stop);
        stop.why = (struct gdbstub_stop){
            .cause = GDBSTUB_CAUSE_SIGNAL, .signal = GDBSTUB_SIGTRAP, .thread = THE_THREAD};
    } while (stop.event == GDBSTUB_RESUME && is_stepped(trap->frame));
    if (stop.event == GDBSTUB_KILL)
        leave_for_good();
    if (stop.event == GDBSTUB_RESTART || debugger.machine.reboot)
        debugger_restart(&debugger.machine);
    if (stop.event == GDBSTUB_RESUME)
        arch_frame_set_step(trap->frame, debugger.machine.resume.action == GDBSTUB_STEP);
    return stop.event;
}

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
    const struct gdbstub_stop why = {
        .cause = GDBSTUB_CAUSE_SIGNAL, .signal = debugger_signal(trap), .thread = THE_THREAD};
    uint64_t sp = arch_frame_sp(trap->frame);

    if (is_forgiven(trap, stop_machine(trap, why))) {
        debugger_keep_fault(trap, sp);
        return TRAP_HANDLED;
    }
    arch_frame_set_step(trap->frame, false);
    debugger_deliver_fault(trap);
    return TRAP_DECLINED;
}

/* ---- Breakpoints and steps ---- */

/* The reported pc is at the breakpoint instruction: behind a planted one the program has not got,
 * and GDB steps past the kernel's own by itself. */
static enum trap_verdict stop_at_breakpoint(struct trap *trap)
{
    struct gdbstub_stop why = {
        .cause = GDBSTUB_CAUSE_SIGNAL, .signal = GDBSTUB_SIGTRAP, .thread = THE_THREAD};
    uint64_t at = trap->pc - arch_gdb.breakpoint_size;

    if (!debugger.waiting &&
        (gdbstub_planted(&debugger.stub, at) || arch_frame_behind_breakpoint(trap->frame))) {
        why.cause = GDBSTUB_CAUSE_SW_BREAK;
        arch_frame_set_pc(trap->frame, at);
    }
    (void)stop_machine(trap, why);
    return TRAP_HANDLED;
}

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

/* A hardware point or a step: both trap alike. */
static struct gdbstub_stop why_debug(const struct trap *trap)
{
    static const uint8_t causes[] = {
        [GDBSTUB_POINT_EXECUTE] = GDBSTUB_CAUSE_HW_BREAK,
        [GDBSTUB_POINT_WRITE] = GDBSTUB_CAUSE_WATCH_WRITE,
        [GDBSTUB_POINT_ACCESS] = GDBSTUB_CAUSE_WATCH_ACCESS,
    };
    struct gdbstub_stop why = {
        .cause = GDBSTUB_CAUSE_SIGNAL, .signal = GDBSTUB_SIGTRAP, .thread = THE_THREAD};
    enum gdbstub_point kind;

    if (arch_point_hit(trap, &kind, &why.address))
        why.cause = causes[kind];
    return why;
}

/* A step that leave() asked for: the line is looked at, and if GDB did not ask for one too, and
 * there is nothing else to tell, nothing has happened.  True if so. */
static bool second_look(struct trap *trap, struct gdbstub_stop *why)
{
    debugger.look_again = false;
    if (stop_wanted())
        why->signal = GDBSTUB_SIGINT;
    if (why->signal == GDBSTUB_SIGINT || why->cause != GDBSTUB_CAUSE_SIGNAL ||
        debugger.machine.resume.action == GDBSTUB_STEP)
        return false;
    arch_frame_set_step(trap->frame, false);
    return true;
}

static enum trap_verdict stop_at_step(struct trap *trap)
{
    struct gdbstub_stop why = why_debug(trap);

    if (debugger.look_again && second_look(trap, &why))
        return TRAP_HANDLED;
    (void)stop_machine(trap, why);
    return TRAP_HANDLED;
}

static enum trap_verdict stop_for(struct trap *trap)
{
    if ((TRAP_MASK(trap->kind) & FATAL) != 0)
        return stop_at_fault(trap);
    return trap->kind == TRAP_BREAKPOINT ? stop_at_breakpoint(trap) : stop_at_step(trap);
}

enum trap_verdict debugger_handle(struct trap *trap)
{
    enum trap_verdict verdict;

    if (!debugger.enabled || debugger.active ||
        !(gdbstub_attached(&debugger.stub) || debugger.waiting))
        return TRAP_DECLINED;
    debugger.active = true;
    debugger.machine.frame = trap->frame;
    verdict = stop_for(trap);
    leave();
    return verdict;
}

/* ---- A byte while the kernel runs ---- */

/* Is the kernel on its way out of the last stop, its frame still to be loaded? */
static bool is_leaving(const struct trap *trap)
{
    uint64_t frame = (uint64_t)(uintptr_t)debugger.machine.frame, sp = arch_frame_sp(trap->frame);
    struct arch_stack stack;

    return arch_find_stack(sp, &stack) && sp <= frame && frame < stack.top &&
           arch_frame_pc(debugger.machine.frame) == debugger.left_pc &&
           arch_frame_sp(debugger.machine.frame) == debugger.left_sp;
}

/* Is it on its way into a stop, which will look at the line? */
static bool is_entering(const struct trap *trap)
{
    return debugger.active || (gdbstub_attached(&debugger.stub) && arch_in_debug_trap(trap->frame));
}

enum trap_verdict debugger_break_in(struct trap *trap)
{
    const struct gdbstub_stop why = {
        .cause = GDBSTUB_CAUSE_SIGNAL, .signal = GDBSTUB_SIGINT, .thread = THE_THREAD};

    if (!debugger.enabled)
        return TRAP_DECLINED;
    if (!debugger.active && is_leaving(trap)) {
        look_again_after_step();
    } else if (is_entering(trap)) {
        debugger.bytes_left = true;
    } else if (stop_wanted()) {
        debugger.active = true;
        (void)stop_machine(trap, why);
        leave();
    }
    return TRAP_HANDLED;
}

/* ---- From the rest of the kernel ---- */

void debugger_init(void)
{
    enum { COM2, COM1, OFF };
    unsigned choice = command_line_choice("gdb", "com2|com1|off", COM2);
    enum arch_line line = choice == COM1 ? ARCH_LINE_1 : ARCH_LINE_2;

    if (choice == OFF)
        return;
    if (console_has(line)) {
        log_print(LOG_WARNING, "gdb: the console has that line; say console=off, or another gdb=");
        return;
    }
    if (!arch_line_init(line)) {
        log_print(LOG_WARNING, "gdb: there is no UART at com%u", line == ARCH_LINE_1 ? 1 : 2);
        return;
    }
    debugger.machine.line = line;
    debugger.port = debugger_port;
    debugger.port.ctx = &debugger.machine;
    debugger.machine.stub = &debugger.stub;
    gdbstub_init(&debugger.stub, &debugger.port);
    debugger_continue_session(&debugger.machine);
    debugger.enabled = true;
}

void debugger_listen(void)
{
    if (debugger.enabled && gdbstub_attached(&debugger.stub))
        debugger_wait(); /* it has started the kernel, and waits for it */
    if (debugger.enabled && !arch_line_break_in(debugger.machine.line, true))
        log_print(LOG_WARNING, "gdb: no interrupt from the line: only gdbwait and traps stop");
}

void debugger_wait(void)
{
    if (!debugger.enabled)
        return;
    debugger.waiting = true;
    arch_breakpoint();
    debugger.waiting = false;
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
    if (!debugger.enabled || !gdbstub_attached(&debugger.stub))
        return;
    debugger.active = true;
    if (gdbstub_exited(&debugger.stub, status))
        wait_for_ack();
}

void debugger_killed(const struct trap *trap)
{
    if (!debugger.enabled || !gdbstub_attached(&debugger.stub))
        return;
    if (gdbstub_killed(&debugger.stub, debugger_signal(trap)))
        wait_for_ack();
}

void debugger_mute(void)
{
    debugger.active = true;
    if (debugger.enabled)
        (void)arch_line_break_in(debugger.machine.line, false);
}

void debugger_examine(struct trap *trap)
{
    const struct gdbstub_stop why = {
        .cause = GDBSTUB_CAUSE_SIGNAL, .signal = debugger_signal(trap), .thread = THE_THREAD};

    if (debugger.enabled)
        (void)stop_machine(trap, why);
}
