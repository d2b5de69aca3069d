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
#include "debugger_why.h"
#include "log.h"
#include "stop.h"

enum debugger_limits {
    EXIT_POLLS = 1 << 20, /* how long an exit waits to be acknowledged */
    OPEN_STEPS = 16,      /* one step in so many lets interrupts in */
};

static const uint32_t FATAL = TRAP_ANY & ~(TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_NMI) |
                                           TRAP_MASK(TRAP_BREAKPOINT) | TRAP_MASK(TRAP_DEBUG));

/* What a CPU has yet to do about the line. */
struct side {
    bool bytes_left;           /* a break-in has left bytes: nobody has looked at them yet */
    unsigned steps;            /* that GDB has had it do */
    bool look_again;           /* one step after leaving, look at the bytes that came meanwhile */
    struct trap_frame *left;   /* the frame that it left the last stop with ... */
    uint64_t left_pc, left_sp; /* ... and what was in it */
};

static struct {
    struct gdbstub stub;
    struct gdbstub_port port;
    bool enabled;
    bool waiting;     /* debugger_wait(): stop although nobody is attached yet */
    unsigned holder;  /* CPU + 1 that is in here with the machine: what traps there is ours */
    bool line_closed; /* the line is polled: bytes break in no longer */
    struct side sides[ARCH_CPUS];
    struct debugger_machine machine;
} debugger;

static struct side *this_side(void)
{
    return &debugger.sides[arch_cpu_id()];
}

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

static void ask_filter(void *argument)
{
    struct stop *stop = argument;

    stop->event = gdbstub_filter(&debugger.stub, &stop->why);
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

static void filter(void *argument)
{
    struct stop *stop = argument;
    struct trap caught;

    if (!arch_guard(ask_filter, stop, &caught))
        stop->event = GDBSTUB_BREAK_IN;
}

static void serve(void *argument)
{
    struct stop *stop = argument;

    guarded(begin, stop);
    if (stop->event == GDBSTUB_RESUME)
        return;                /* GDB does not hear of it */
    if (!debugger.line_closed) /* polling is cheaper */
        (void)arch_line_break_in(debugger.machine.line, false, 0);
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

/* This CPU has the machine, for that trap. */
static void enter(const struct trap *trap)
{
    debugger.holder = trap->cpu + 1;
    debugger.machine.cpu = trap->cpu;
    debugger.machine.frame = trap->frame;
}

/* Look at the line once more when one instruction of the frame has run. */
static void look_again_after_step(struct trap_frame *frame)
{
    this_side()->look_again = true;
    debugger_note_step();
    arch_frame_set_step(frame, true);
}

/* The last thing before the way out.  What has come while the line was being opened is seen one
 * step later, so that GDB never finds the kernel stopped in here. */
static void go_on(struct trap_frame *frame)
{
    struct side *side = this_side();

    side->left = frame;
    side->left_pc = arch_frame_pc(frame);
    side->left_sp = arch_frame_sp(frame);
    if (!side->bytes_left)
        return;
    side->bytes_left = false;
    look_again_after_step(frame);
}

/* Give the machine back. */
static void leave(struct trap_frame *frame)
{
    bool hold = stop_ordered(arch_cpu_id()) == STOP_HOLD;

    if (debugger.line_closed || this_side()->bytes_left) {
        debugger.line_closed = false;
        this_side()->bytes_left = false;
        (void)arch_line_break_in(debugger.machine.line, true,
                                 debugger_running_cpu(&debugger.machine));
    }
    debugger.holder = 0;
    stop_give_back();
    if (hold)
        stop_join(frame);
    go_on(frame);
}

/* Is GDB's step over without anything having run? */
static bool is_stepped(struct trap_frame *frame)
{
    return debugger.machine.resume.action == GDBSTUB_STEP && arch_step_without_running(frame);
}

/* What is stepped may be waiting for an interrupt: for a tick, for another CPU.  But a handler
 * waits for locks, and a CPU that stands still may have them. */
static void step(struct trap_frame *frame)
{
    arch_frame_set_step(frame, true);
    if (++this_side()->steps % OPEN_STEPS == 0 && debugger_others_run(&debugger.machine))
        arch_step_let_interrupts_in();
}

/* Leave it to the stub alone, if it can be: GDB does not hear of it, and the line stays open.
 * RESUME if so; BREAK_IN if GDB must have the machine, for the reason that is then in *why; WAIT if
 * the trap is none of the debugger's. */
static enum gdbstub_event pass(struct trap *trap, struct gdbstub_stop *why)
{
    struct stop stop = {.why = *why};

    if (debugger.waiting)
        return GDBSTUB_BREAK_IN;
    do {
        arch_call_on_stack(ARCH_STACK_DEBUGGER, filter, &stop);
        *why = stop.why;
        stop.why = debugger_stop(GDBSTUB_SIGTRAP);
    } while (stop.event == GDBSTUB_RESUME && is_stepped(trap->frame));
    if (stop.event == GDBSTUB_RESUME && stop_ordered(trap->cpu) == STOP_STEP)
        step(trap->frame);
    else if (stop.event == GDBSTUB_RESUME)
        arch_frame_set_step(trap->frame, false);
    return stop.event;
}

/* Let GDB have the machine, all of it.  Returns what it wants of it. */
static enum gdbstub_event stop_machine(struct trap_frame *frame, struct gdbstub_stop why)
{
    struct stop stop = {.why = why};

    stop_others();
    debugger_take(&debugger.machine, frame);
    this_side()->look_again = false;
    arch_frame_set_step(frame, false);
    do {
        arch_call_on_stack(ARCH_STACK_DEBUGGER, serve, &stop);
        stop.why = debugger_stop(GDBSTUB_SIGTRAP);
    } while (stop.event == GDBSTUB_RESUME && is_stepped(frame));
    if (stop.event == GDBSTUB_KILL)
        leave_for_good();
    if (stop.event == GDBSTUB_RESTART || debugger.machine.reboot)
        debugger_restart(&debugger.machine);
    if (stop.event == GDBSTUB_RESUME && debugger.machine.resume.action == GDBSTUB_STEP)
        step(frame);
    else if (stop.event != GDBSTUB_RESUME)
        debugger_take(&debugger.machine, frame); /* as if nobody had been there */
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
    uint64_t sp = arch_frame_sp(trap->frame);
    struct gdbstub_stop why = debugger_stop(debugger_signal(trap));

    if (pass(trap, &why) != GDBSTUB_BREAK_IN)
        return TRAP_DECLINED;
    if (is_forgiven(trap, stop_machine(trap->frame, why))) {
        debugger_keep_fault(trap, sp);
        return TRAP_HANDLED;
    }
    arch_frame_set_step(trap->frame, false);
    debugger_deliver_fault(trap);
    return TRAP_DECLINED;
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

/* A step that leave() asked for: the line is looked at, and if GDB did not ask for one too, and
 * there is nothing else to tell, nothing has happened.  True if so. */
static bool second_look(struct trap *trap, struct gdbstub_stop *why)
{
    this_side()->look_again = false;
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

    if (this_side()->look_again && second_look(trap, &why))
        return TRAP_HANDLED;
    enum gdbstub_event event = pass(trap, &why);
    if (event == GDBSTUB_WAIT) {
        arch_frame_set_pc(trap->frame, trap->pc);
        return TRAP_DECLINED;
    }
    if (event == GDBSTUB_BREAK_IN)
        (void)stop_machine(trap->frame, why);
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

/* Another CPU has the machine.  A breakpoint is as if it had not been reached yet: if it is still
 * there afterwards, it is hit again. */
static void rewind(struct trap *trap)
{
    if (trap->kind == TRAP_BREAKPOINT && arch_frame_behind_breakpoint(trap->frame))
        arch_frame_set_pc(trap->frame, trap->pc - arch_gdb.breakpoint_size);
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
    while (!stop_take()) {
        if (!stop_is_asked())
            arch_pause();
        else if (!outlasts_stop(trap))
            return false;
    }
    return true;
}

static bool is_wanted(void)
{
    return gdbstub_concerned(&debugger.stub) || debugger.waiting;
}

enum trap_verdict debugger_handle(struct trap *trap)
{
    enum trap_verdict verdict = TRAP_DECLINED;

    if (!debugger.enabled || debugger.holder == trap->cpu + 1 || !is_wanted())
        return TRAP_DECLINED;
    if (!take_machine(trap)) {
        go_on(trap->frame);
        return TRAP_HANDLED;
    }
    enter(trap);
    if (is_wanted())
        verdict = stop_for(trap);
    leave(trap->frame);
    return verdict;
}

/* ---- A byte while the kernel runs ---- */

/* Is this CPU on its way out of its last stop, its frame still to be loaded? */
static bool is_leaving(const struct trap *trap)
{
    const struct side *side = this_side();
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

static void break_in(struct trap *trap)
{
    if (!stop_take_or_join(trap->frame))
        return; /* whoever had it has looked at the line */
    enter(trap);
    if (stop_wanted())
        (void)stop_machine(trap->frame, debugger_stop(GDBSTUB_SIGINT));
    leave(trap->frame);
}

enum trap_verdict debugger_break_in(struct trap *trap)
{
    if (!debugger.enabled)
        return TRAP_DECLINED;
    if (debugger.holder != trap->cpu + 1 && is_leaving(trap))
        look_again_after_step(this_side()->left);
    else if (is_entering(trap))
        this_side()->bytes_left = true;
    else
        break_in(trap);
    return TRAP_HANDLED;
}

/* ---- From the rest of the kernel ---- */

void debugger_syscall(struct trap *trap, uint64_t number, bool entry)
{
    struct gdbstub_stop why;

    if (!debugger.enabled || !gdbstub_attached(&debugger.stub) ||
        !gdbstub_catches_syscall(&debugger.stub, number))
        return;
    while (!stop_take_or_join(trap->frame))
        ;
    enter(trap);
    why = debugger_stop(GDBSTUB_SIGTRAP);
    why.cause = entry ? GDBSTUB_CAUSE_SYSCALL_ENTRY : GDBSTUB_CAUSE_SYSCALL_RETURN;
    why.address = number;
    (void)stop_machine(trap->frame, why);
    leave(trap->frame);
    this_side()->left = NULL; /* the call goes on in the kernel for a while */
}

void debugger_hide_breakpoints(uint64_t address, uint8_t *data, size_t len)
{
    if (debugger.enabled)
        gdbstub_hide_breakpoints(&debugger.stub, address, data, len);
}

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
    if (debugger.enabled && !arch_line_break_in(debugger.machine.line, true, arch_cpu_id()))
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
    (void)stop_take();
    debugger.holder = arch_cpu_id() + 1;
    stop_others();
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
    debugger.holder = arch_cpu_id() + 1;
    if (debugger.enabled)
        (void)arch_line_break_in(debugger.machine.line, false, 0);
}

void debugger_examine(struct trap *trap)
{
    if (debugger.enabled)
        (void)stop_machine(trap->frame, debugger_stop(debugger_signal(trap)));
}
