/*
 * debugger_session.c - serves GDB while the machine stands still, and gives the machine back.
 *
 * Runs on the debugger's own stack, and takes no lock.  A fault in here or in the stub costs the
 * request that caused it (serve()), never the kernel.
 */
#include "debugger_session.h"

#include "debugger_line.h"
#include "debugger_restart.h"
#include "debugger_why.h"
#include "stop.h"
#include "thread.h"

struct debugger debugger;

struct side *session_side(void)
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
    debugger_line_lend(NULL, NULL);
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
            (void)debugger_line_send_rest();
            arch_pause();
            continue;
        }
        stop->byte = (uint8_t)byte;
        guarded(receive, stop);
    }
}

_Noreturn static void leave_for_good(void)
{
    debugger_line_send_kept();
    arch_line_flush(debugger.machine.line);
    arch_exit_emulator(0);
    arch_reset();
}

void session_enter(const struct trap *trap)
{
    session_side()->armed = arch_disarm_points();
    debugger.holder = trap->cpu + 1;
    debugger.machine.cpu = trap->cpu;
    debugger.machine.frame = trap->frame;
    debugger.machine.thread = debugger_current_thread();
}

/* With interrupts held back for the step, hlt would last for ever: it has been done. */
void session_look_again(struct trap_frame *frame)
{
    struct side *side = session_side();

    side->look_again = true;
    debugger_note_step();
    while (arch_step_without_running(frame))
        side->left_pc = arch_frame_pc(frame);
    arch_frame_set_step(frame, true);
}

void session_go_on(struct side *side, struct trap_frame *frame)
{
    side->left = frame;
    side->left_pc = arch_frame_pc(frame);
    side->left_sp = arch_frame_sp(frame);
    if (!side->bytes_left)
        return;
    side->bytes_left = false;
    session_look_again(frame);
}

static void let_go(void)
{
    unsigned me = arch_cpu_id() + 1;

    (void)__atomic_compare_exchange_n(&debugger.holder, &me, 0, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
}

/* Until the machine is given back, what traps here is ours; then another CPU may have it. */
static void give_back(struct trap_frame *frame)
{
    bool hold = stop_ordered(arch_cpu_id()) == STOP_HOLD;

    debugger_line_send_kept();
    if (debugger.line_closed || session_side()->bytes_left) {
        debugger.line_closed = false;
        session_side()->bytes_left = false;
        debugger.polled = !arch_line_break_in(debugger.machine.line, true,
                                              debugger_running_cpu(&debugger.machine));
    }
    stop_give_back();
    let_go();
    if (hold)
        stop_join(frame);
    if (session_side()->armed)
        arch_arm_points(frame);
}

void session_leave(struct trap_frame *frame)
{
    give_back(frame);
    session_go_on(session_side(), frame);
}

/* A byte that came before the machine was given back asks once more, or the next tick does. */
void session_leave_inside(struct trap_frame *frame)
{
    give_back(frame);
    session_side()->left = NULL;
    if (session_side()->bytes_left)
        arch_send_nmi(arch_cpu_id());
}

/* Is GDB's step over without anything having run? */
static bool is_stepped(struct trap_frame *frame)
{
    return debugger.machine.resume.action == GDBSTUB_STEP && arch_step_without_running(frame);
}

static void step(struct trap_frame *frame, enum session_open_steps open_steps)
{
    struct side *side = session_side();
    uint64_t end;

    arch_frame_set_step(frame, true);
    side->others_run = debugger_others_run(&debugger.machine);
    session_let_interrupts_in(side, open_steps);
    if (!gdbstub_steps_through(&debugger.stub, debugger_current_thread(), &side->range_start, &end))
        return;
    side->stepped = thread_current();
    side->range_bytes = end - side->range_start;
}

/* Whatever was ordered is over, on all CPUs. */
static void forget_ranges(void)
{
    for (unsigned cpu = 0; cpu < ARCH_CPUS; cpu++)
        debugger.sides[cpu].range_bytes = 0;
}

enum gdbstub_event session_pass(struct trap *trap, struct gdbstub_stop *why)
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
        step(trap->frame, OPEN_STEPS);
    else if (stop.event == GDBSTUB_RESUME)
        arch_frame_set_step(trap->frame, false);
    return stop.event;
}

enum gdbstub_event session_stop(struct trap_frame *frame, struct gdbstub_stop why)
{
    struct stop stop = {.why = why};

    stop_others();
    debugger_take(&debugger.machine, frame);
    forget_ranges();
    session_side()->look_again = false;
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
        step(frame, OPEN_GDB_STEPS);
    else if (stop.event != GDBSTUB_RESUME)
        debugger_take(&debugger.machine, frame); /* as if nobody had been there */
    return stop.event;
}
