/*
 * threads.c - H T qC qfThreadInfo qsThreadInfo qThreadExtraInfo: which threads there are, and which
 * one the other packets are about.  GDB reads the list as qXfer:threads (thread_list.c); others,
 * and GDB if told to, one by one.
 */
#include "internal.h"

enum {
    LONGEST_ID = sizeof(",p1.0123456789abcdef") - 1,
};

/* The thread of a port that has no list of them. */
static const gdbstub_thread only_thread = 1;
static const struct gdbstub_thread_info only_thread_info = {.name = "kernel", .state = "running"};

gdbstub_thread stub_next_thread(const struct gdbstub *stub, gdbstub_thread thread)
{
    if (stub->port->next_thread != NULL)
        return stub->port->next_thread(stub->port->ctx, thread);
    return thread == GDBSTUB_NO_THREAD ? only_thread : GDBSTUB_NO_THREAD;
}

bool stub_thread_info(const struct gdbstub *stub, gdbstub_thread thread,
                      struct gdbstub_thread_info *info)
{
    if (stub->port->thread_info != NULL)
        return stub->port->thread_info(stub->port->ctx, thread, info);
    *info = only_thread_info;
    return thread == only_thread;
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
enum verdict stub_handle_select(struct gdbstub *stub, struct args *args)
{
    bool resume = stub_take_char(args, 'c');
    gdbstub_thread thread;

    if (!resume && !stub_take_char(args, 'g'))
        return VERDICT_UNKNOWN;
    if (!stub_take_thread(args, &thread) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    return resume ? select_resume(stub, thread) : select_general(stub, thread);
}

/* T THREAD */
enum verdict stub_handle_alive(struct gdbstub *stub, struct args *args)
{
    gdbstub_thread thread;

    if (!stub_take_thread(args, &thread) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    return stub_thread_exists(stub, thread) ? VERDICT_OK : VERDICT_NO_THREAD;
}

enum verdict stub_handle_current(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub_put_text(stub, "QC");
    stub_put_thread(stub, stub->general);
    return VERDICT_REPLY;
}

/* As many threads as fit behind the last one listed; 'l' if there is none. */
static enum verdict list_threads(struct gdbstub *stub)
{
    gdbstub_thread thread = stub_next_thread(stub, stub->listed);
    char separator = 'm';

    while (thread != GDBSTUB_NO_THREAD && stub_reply_room(stub) >= LONGEST_ID) {
        stub_put_char(stub, separator);
        stub_put_thread(stub, thread);
        separator = ',';
        stub->listed = thread;
        thread = stub_next_thread(stub, thread);
    }
    if (separator == 'm')
        stub_put_char(stub, 'l');
    return VERDICT_REPLY;
}

enum verdict stub_handle_first_threads(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub->listed = GDBSTUB_NO_THREAD;
    return list_threads(stub);
}

enum verdict stub_handle_more_threads(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    return list_threads(stub);
}

/* qThreadExtraInfo,THREAD: "main: running, CPU 0" */
enum verdict stub_handle_thread_extra(struct gdbstub *stub, struct args *args)
{
    struct gdbstub_thread_info info;
    char digits[STUB_DECIMAL_BYTES];
    gdbstub_thread thread;

    if (!stub_take_char(args, ',') || !stub_take_thread(args, &thread) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    if (!stub_thread_info(stub, thread, &info))
        return VERDICT_NO_THREAD;
    stub_put_hex_text(stub, info.name);
    stub_put_hex_text(stub, ": ");
    stub_put_hex_text(stub, info.state);
    stub_put_hex_text(stub, ", CPU ");
    stub_put_hex_text(stub, stub_decimal(info.cpu, digits + sizeof(digits)));
    return VERDICT_REPLY;
}
