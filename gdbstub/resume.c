/*
 * resume.c - c C s S vCont: tell the port what each thread does when the machine resumes.
 *
 * All of them become orders, of which the first that names a thread holds; a thread that none names
 * stays stopped.
 */
#include "internal.h"

/* How each action of vCont is spelled. */
struct action {
    char letter;
    enum gdbstub_action action;
    bool signal; /* two digits follow: a signal to pass */
    bool range;  /* START,END follow */
};

static const struct action actions[] = {
    {'c', GDBSTUB_RUN, false, false},  {'C', GDBSTUB_RUN, true, false},
    {'s', GDBSTUB_STEP, false, false}, {'S', GDBSTUB_STEP, true, false},
    {'r', GDBSTUB_STEP, false, true},
};

static bool names(const struct gdbstub_order *order, gdbstub_thread thread)
{
    return order->thread == STUB_ALL_THREADS || order->thread == thread;
}

const struct gdbstub_order *stub_order_for(const struct gdbstub *stub, gdbstub_thread thread)
{
    for (size_t i = 0; i < stub->order_count; i++) {
        if (names(&stub->orders[i], thread))
            return &stub->orders[i];
    }
    return NULL;
}

void stub_let_run(struct gdbstub *stub)
{
    stub->orders[0] = (struct gdbstub_order){.thread = STUB_ALL_THREADS,
                                             .how = {GDBSTUB_RUN, GDBSTUB_SIGNAL_NONE}};
    stub->order_count = 1;
}

static const char *give_order(const struct gdbstub *stub, gdbstub_thread thread)
{
    struct gdbstub_resume how = {GDBSTUB_HOLD, GDBSTUB_SIGNAL_NONE};
    const struct gdbstub_order *order = stub_order_for(stub, thread);

    if (order != NULL)
        how = order->how;
    return stub->port->set_resume(stub->port->ctx, thread, how);
}

const char *stub_give_orders(struct gdbstub *stub, gdbstub_thread only)
{
    gdbstub_thread thread;

    if (only != GDBSTUB_NO_THREAD)
        return give_order(stub, only);
    thread = stub_next_thread(stub, GDBSTUB_NO_THREAD);
    for (; thread != GDBSTUB_NO_THREAD; thread = stub_next_thread(stub, thread)) {
        const char *reason = give_order(stub, thread);
        if (reason != NULL)
            return reason;
    }
    /* A signal is passed once, not again with each step of a range. */
    for (size_t i = 0; i < stub->order_count; i++)
        stub->orders[i].how.signal = GDBSTUB_SIGNAL_NONE;
    return NULL;
}

/* The orders are complete.  Each must be for somebody: GDB would wait for ever for a machine in
 * which nothing moves. */
static enum verdict resume(struct gdbstub *stub)
{
    for (size_t i = 0; i < stub->order_count; i++) {
        gdbstub_thread thread = stub->orders[i].thread;
        if (thread != STUB_ALL_THREADS && !stub_thread_exists(stub, thread))
            return VERDICT_NO_THREAD;
    }
    const char *reason = stub_give_orders(stub, GDBSTUB_NO_THREAD);
    return reason == NULL ? VERDICT_RESUME : stub_refuse(stub, reason);
}

static bool take_signal(struct request *request, struct gdbstub_order *order)
{
    if (!stub_take(request, "#") || request->value[0] > UINT8_MAX)
        return false;
    order->how.signal = (enum gdbstub_signal)request->value[0];
    return true;
}

static const struct action *take_letter(struct args *args)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (stub_take_char(args, actions[i].letter))
            return &actions[i];
    }
    return NULL;
}

/* ACTION, for vCont with its range */
static bool take_action(struct request *request, struct gdbstub_order *order)
{
    const struct action *action = take_letter(&request->args);

    if (action == NULL)
        return false;
    order->how.action = action->action;
    if (action->signal && !take_signal(request, order))
        return false;
    if (!action->range)
        return true;
    if (!stub_take(request, "#,#"))
        return false;
    order->range_start = request->value[0];
    order->range_end = request->value[1];
    return true;
}

/* c[ADDRESS] s[ADDRESS] CSIGNAL[;ADDRESS] SSIGNAL[;ADDRESS], as old as the protocol.  They are for
 * the thread that Hc named, and then for it alone. */
enum verdict stub_handle_resume(struct gdbstub *stub, struct request *request)
{
    bool alone = stub->resume != STUB_ALL_THREADS;
    struct gdbstub_order order = {.thread = alone ? stub->resume : stub->general};

    request->args.at--; /* the letter is the packet's name */
    if (!take_action(request, &order))
        return VERDICT_MALFORMED;
    if (!stub_at_end(&request->args)) {
        if (!stub_take(request, stub->in[0] < 'a' ? ";#$" : "#$"))
            return VERDICT_MALFORMED;
        if (!stub_write_pc(stub, order.thread, request->value[0]))
            return VERDICT_INVALID;
    }
    stub_let_run(stub);
    stub->orders[1] = stub->orders[0];
    stub->orders[0] = order;
    stub->order_count = alone ? 1 : 2;
    return resume(stub);
}

#if GDBSTUB_WITH_THREADS
/* vCont?: GDB uses vCont only if c and C are there, and steps properly only with s and S. */
enum verdict stub_handle_action_list(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_put(stub, GDBSTUB_WITH_FILTER ? "vCont;c;C;s;S;r" : "vCont;c;C;s;S");
    return VERDICT_REPLY;
}

/* ACTION[:THREAD] */
static bool take_order(struct gdbstub *stub, struct request *request, struct gdbstub_order *order)
{
    order->thread = STUB_ALL_THREADS;
    if (!take_action(request, order))
        return false;
    if (!stub_take_char(&request->args, ':'))
        return true;
    if (!stub_take(request, "@"))
        return false;
    order->thread = request->value[0] == GDBSTUB_NO_THREAD ? stub->general : request->value[0];
    return true;
}

/* vCont;ACTION[:THREAD]... */
enum verdict stub_handle_actions(struct gdbstub *stub, struct request *request)
{
    stub->order_count = 0;
    while (stub_take_char(&request->args, ';')) {
        if (stub->order_count == GDBSTUB_MAX_ORDERS)
            return stub_refuse(stub, "too many actions in one packet");
        struct gdbstub_order *order = &stub->orders[stub->order_count++];
        *order = (struct gdbstub_order){0};
        if (!take_order(stub, request, order))
            return VERDICT_MALFORMED;
    }
    if (stub->order_count == 0 || !stub_at_end(&request->args))
        return VERDICT_MALFORMED;
    return resume(stub);
}
#endif
