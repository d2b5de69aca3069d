/*
 * threads.c - H T qC: which thread the other packets are about.  GDB reads the list of them as
 * qXfer:threads (thread_list.c); others, and GDB if told to, one by one (thread_ids.c).
 */
#include "internal.h"

static const struct gdbstub_thread_info only_thread_info = {.name = "kernel", .state = "running"};

gdbstub_thread stub_next_thread(const struct gdbstub *stub, gdbstub_thread thread)
{
    if (stub->port->next_thread != NULL)
        return stub->port->next_thread(stub->port->ctx, thread);
    return thread == GDBSTUB_NO_THREAD ? STUB_ONLY_THREAD : GDBSTUB_NO_THREAD;
}

bool stub_thread_info(const struct gdbstub *stub, gdbstub_thread thread,
                      struct gdbstub_thread_info *info)
{
    if (stub->port->thread_info != NULL)
        return stub->port->thread_info(stub->port->ctx, thread, info);
    *info = only_thread_info;
    return thread == STUB_ONLY_THREAD;
}

bool stub_thread_exists(const struct gdbstub *stub, gdbstub_thread thread)
{
    struct gdbstub_thread_info info;

    return stub_thread_info(stub, thread, &info);
}

/* Hg: 0 and -1 mean the thread that stopped, as no request can be about several. */
static enum verdict select_general(struct gdbstub *stub, gdbstub_thread thread)
{
    if (thread == GDBSTUB_NO_THREAD || thread == STUB_ALL_THREADS)
        thread = stub->stop.thread;
    if (!stub_thread_exists(stub, thread))
        return VERDICT_NO_THREAD;
    stub->general = thread;
    return VERDICT_OK;
}

static enum verdict select_resume(struct gdbstub *stub, gdbstub_thread thread)
{
    if (thread == GDBSTUB_NO_THREAD)
        thread = STUB_ALL_THREADS;
    if (thread != STUB_ALL_THREADS && !stub_thread_exists(stub, thread))
        return VERDICT_NO_THREAD;
    stub->resume = thread;
    return VERDICT_OK;
}

/* Hg THREAD: for registers and memory; Hc THREAD: for c and s */
enum verdict stub_handle_select(struct gdbstub *stub, struct request *request)
{
    bool resume = stub_take_char(&request->args, 'c');

    if (!resume && !stub_take_char(&request->args, 'g'))
        return VERDICT_UNKNOWN;
    if (!stub_take(request, "@$"))
        return VERDICT_MALFORMED;
    gdbstub_thread thread = request->value[0];
    return resume ? select_resume(stub, thread) : select_general(stub, thread);
}

/* T THREAD */
enum verdict stub_handle_alive(struct gdbstub *stub, struct request *request)
{
    return stub_thread_exists(stub, request->value[0]) ? VERDICT_OK : VERDICT_NO_THREAD;
}

enum verdict stub_handle_current(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_put(stub, "QC");
    stub_put_thread(stub, stub->general);
    return VERDICT_REPLY;
}
