/*
 * filter.c - stops that GDB need not hear of: steps inside a range, breakpoints whose conditions
 * are false, breakpoints that only print, and the steps over those.
 *
 * A thread gets over a breakpoint in one of two ways.  The port does what the instruction does, and
 * nothing else has to stop; or the breakpoint is lifted, while all other threads are held, for one
 * step of that thread.
 */
#include "internal.h"

enum judgement {
    NOT_JUDGED,
    JUDGED_TELL,  /* GDB must hear of it */
    JUDGED_GO_ON, /* as GDB ordered before */
    JUDGED_LIFT,  /* go on, over the breakpoint at the pc, which must be lifted */
};

/* The type that breakpoints of this cause have in a Z packet. */
static unsigned type_of(enum gdbstub_cause cause)
{
    return cause == GDBSTUB_CAUSE_HW_BREAK ? GDBSTUB_POINT_EXECUTE : 0;
}

static bool is_hit(const struct gdbstub_stop *stop)
{
    return stop->cause == GDBSTUB_CAUSE_SW_BREAK || stop->cause == GDBSTUB_CAUSE_HW_BREAK;
}

static bool is_step(const struct gdbstub_stop *stop)
{
    return stop->cause == GDBSTUB_CAUSE_SIGNAL && stop->signal == GDBSTUB_SIGTRAP;
}

/* Is a breakpoint of the stub's what was hit there? */
static bool is_inserted(const struct gdbstub *stub, unsigned type, uint64_t pc)
{
    return type == 0 ? gdbstub_planted(stub, pc) : stub_has_execute_point(stub, pc);
}

/* Is the thread still to step on through a range? */
static bool is_in_range(const struct gdbstub *stub, gdbstub_thread thread, uint64_t pc)
{
    const struct gdbstub_order *order = stub_order_for(stub, thread);

    return order != NULL && pc >= order->range_start && pc < order->range_end;
}

/* The thread has done the instruction under a breakpoint, and is at `pc`.  If GDB wants it to run,
 * it runs; but an execute point there would be skipped, and counts as hit. */
static enum judgement judge_arrival(const struct gdbstub *stub, struct gdbstub_stop *stop,
                                    uint64_t pc)
{
    const struct gdbstub_order *order = stub_order_for(stub, stop->thread);

    if (order == NULL || order->how.action != GDBSTUB_RUN)
        return is_in_range(stub, stop->thread, pc) ? JUDGED_GO_ON : JUDGED_TELL;
    if (!stub_has_execute_point(stub, pc))
        return JUDGED_GO_ON;
    stop->cause = GDBSTUB_CAUSE_HW_BREAK;
    return NOT_JUDGED;
}

/* Get over the software breakpoint at `pc`, without lifting it if the port can. */
static enum judgement step_over(const struct gdbstub *stub, struct gdbstub_stop *stop, uint64_t pc)
{
    const struct gdbstub_port *port = stub->port;

    if (port->execute == NULL ||
        !port->execute(port->ctx, stop->thread, pc, stub_bytes_under(stub, pc),
                       port->arch->breakpoint_size))
        return JUDGED_LIFT;
    stop->cause = GDBSTUB_CAUSE_SIGNAL;
    stop->signal = GDBSTUB_SIGTRAP;
    return stub_read_pc(stub, stop->thread, &pc) ? judge_arrival(stub, stop, pc) : JUDGED_TELL;
}

static enum judgement judge_hit(struct gdbstub *stub, struct gdbstub_stop *stop, uint64_t pc)
{
    unsigned type = type_of(stop->cause);

    if (!is_inserted(stub, type, pc))
        return JUDGED_TELL; /* the program's own */
    enum stub_hit hit = stub_judge_hit(stub, stop->thread, type, pc);
    if (hit != STUB_HIT_PASSES && stub->attached) {
        /* GDB would go on by itself from a breakpoint that only prints. */
        if (hit == STUB_HIT_FAILS)
            *stop = (struct gdbstub_stop){
                .cause = GDBSTUB_CAUSE_SIGNAL, .signal = GDBSTUB_SIGINT, .thread = stop->thread};
        return JUDGED_TELL;
    }
    return type == 0 ? step_over(stub, stop, pc) : JUDGED_GO_ON;
}

static enum judgement judge(struct gdbstub *stub, struct gdbstub_stop *stop)
{
    enum judgement judgement = NOT_JUDGED;
    uint64_t pc;

    while (judgement == NOT_JUDGED) {
        if (!stub_read_pc(stub, stop->thread, &pc))
            judgement = JUDGED_TELL;
        else if (is_hit(stop))
            judgement = judge_hit(stub, stop, pc);
        else
            judgement =
                is_step(stop) && is_in_range(stub, stop->thread, pc) ? JUDGED_GO_ON : JUDGED_TELL;
    }
    return judgement;
}

/* Is it the stub's, although nobody is attached?  Breakpoints that print for good are. */
static bool is_left_behind(const struct gdbstub *stub, const struct gdbstub_stop *stop)
{
    uint64_t pc;

    return is_hit(stop) && stub_read_pc(stub, stop->thread, &pc) &&
           is_inserted(stub, type_of(stop->cause), pc);
}

enum gdbstub_event gdbstub_filter(struct gdbstub *stub, struct gdbstub_stop *stop)
{
    if (!stub->attached && !stub->request_held) {
        bool broken = stub->lifted && !is_step(stop);
        if (broken)
            stub_end_lift(stub, stop);
        if (broken || (!stub->lifted && !is_left_behind(stub, stop)))
            return GDBSTUB_WAIT;
    }
    if (stub->request_held || stub->lifted || stub->closing)
        return GDBSTUB_BREAK_IN;
    enum judgement judgement = judge(stub, stop);
    stop->judged = (uint8_t)judgement;
    if (judgement == JUDGED_GO_ON && stub_give_orders(stub, stop->thread) == NULL)
        return GDBSTUB_RESUME;
    return GDBSTUB_BREAK_IN;
}

/* ---- While others run ---- */

bool gdbstub_steps_through(const struct gdbstub *stub, gdbstub_thread thread, uint64_t *start,
                           uint64_t *end)
{
    const struct gdbstub_order *order = stub_order_for(stub, thread);

    if (order == NULL || !stub->running || stub->point_count > 0)
        return false;
    *start = order->range_start;
    *end = order->range_end;
    return *start < *end;
}

/* What is about to stop, or has something unusual about it, is for gdbstub_filter(). */
bool gdbstub_passes(const struct gdbstub *stub, void *ctx, gdbstub_thread thread, uint64_t pc)
{
    const struct gdbstub_port *port = stub->port;
    const struct gdbstub_order *order = stub_order_for(stub, thread);
    const uint8_t *original = stub_bytes_under(stub, pc);

    return order != NULL && order->how.action == GDBSTUB_RUN && port->execute != NULL &&
           stub->point_count == 0 && !stub->request_held && !stub->lifted && !stub->closing &&
           original != NULL && stub_passes_by(stub, ctx, thread, 0, pc) &&
           port->execute(ctx, thread, pc, original, port->arch->breakpoint_size);
}

/* ---- With the machine stopped ---- */

/* Lift the breakpoint under `thread` for one step of it, with all others held. */
static bool begin_lift(struct gdbstub *stub, gdbstub_thread thread)
{
    const struct gdbstub_port *port = stub->port;
    gdbstub_thread each = stub_next_thread(stub, GDBSTUB_NO_THREAD);
    uint64_t pc;

    if (!stub_read_pc(stub, thread, &pc))
        return false;
    if (!stub_lift_breakpoint(stub, pc))
        return stub_give_orders(stub, GDBSTUB_NO_THREAD) == NULL; /* it is gone meanwhile */
    stub->lifted = true;
    stub->lifted_address = pc;
    stub->lifted_thread = thread;
    for (; each != GDBSTUB_NO_THREAD; each = stub_next_thread(stub, each)) {
        struct gdbstub_resume how = {each == thread ? GDBSTUB_STEP : GDBSTUB_HOLD,
                                     GDBSTUB_SIGNAL_NONE};
        if (port->set_resume(port->ctx, each, how) == NULL)
            continue;
        stub_end_lift(stub, &stub->stop);
        return false;
    }
    return true;
}

enum stub_lift stub_end_lift(struct gdbstub *stub, const struct gdbstub_stop *stop)
{
    if (!stub->lifted)
        return STUB_LIFT_NONE;
    stub->lifted = false;
    stub_lower_breakpoint(stub, stub->lifted_address);
    return stop->thread == stub->lifted_thread && is_step(stop) ? STUB_LIFT_OVER : STUB_LIFT_BROKEN;
}

bool stub_passes_over(struct gdbstub *stub, enum stub_lift lift)
{
    struct gdbstub_stop *stop = &stub->stop;
    enum judgement judgement = (enum judgement)stop->judged;
    uint64_t pc;

    if (lift == STUB_LIFT_BROKEN)
        return false;
    if (lift == STUB_LIFT_OVER)
        judgement =
            stub_read_pc(stub, stop->thread, &pc) ? judge_arrival(stub, stop, pc) : JUDGED_TELL;
    else if (!stub->attached && !is_left_behind(stub, stop))
        return false;
    if (judgement == NOT_JUDGED)
        judgement = judge(stub, stop);
    if (judgement == JUDGED_LIFT)
        return begin_lift(stub, stop->thread);
    return judgement == JUDGED_GO_ON && stub_give_orders(stub, GDBSTUB_NO_THREAD) == NULL;
}
