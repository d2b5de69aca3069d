/*
 * thread_list.c - qXfer:threads: all threads in one reply, with names, states and CPUs; and, in
 * another one that GDB's commands of this project ask for, where they are.
 *
 * GDB reads the list by itself at each stop, to see which threads there are: that first one holds
 * ids, and CPU and name of the thread that stopped.  Whoever asks again before the machine resumes
 * wants to look at it (`info threads`), and gets everything.
 */
#include "internal.h"

enum detail {
    DETAIL_ID,
    DETAIL_NAME, /* and CPU */
    DETAIL_ALL,
};

static enum detail detail_of(const struct gdbstub *stub, gdbstub_thread thread)
{
    if (stub->listed_once)
        return DETAIL_ALL;
    return thread == stub->stop.thread ? DETAIL_NAME : DETAIL_ID;
}

static void describe_thread(struct window *window, gdbstub_thread thread)
{
    enum detail detail = detail_of(window->stub, thread);
    struct gdbstub_thread_info info;

    stub_window_put(window, "<thread id=\"p1.%x\"", thread);
    if (detail == DETAIL_ID || !stub_thread_info(window->stub, thread, &info))
        stub_window_put(window, "/>");
    else
        stub_window_put(window,
                        detail == DETAIL_NAME ? " core=\"%u\" name=\"%q\"/>"
                                              : " core=\"%u\" name=\"%q\">%q</thread>",
                        (uint64_t)info.cpu, info.name, info.state);
}

static void describe_threads(struct window *window)
{
    gdbstub_thread thread = GDBSTUB_NO_THREAD;

    stub_window_put(window, "<threads>");
    while ((thread = stub_next_thread(window->stub, thread)) != GDBSTUB_NO_THREAD)
        describe_thread(window, thread);
    stub_window_put(window, "</threads>");
    if (!window->more)
        window->stub->listed_once = true;
}

/* Threads of consecutive ids that are in the same place. */
struct run {
    gdbstub_thread first, last;
    uint64_t pc;
};

static void describe_run(struct window *window, const struct run *run)
{
    if (run->first == GDBSTUB_NO_THREAD)
        return;
    stub_window_put(window, run->first == run->last ? "%x" : "%x-%x", run->first, run->last);
    stub_window_put(window, ":%x;", run->pc);
}

/* FIRST-LAST:PC; or ID:PC; as most threads wait in the same place.  One without a pc is left
 * out. */
static void describe_places(struct window *window)
{
    gdbstub_thread thread = GDBSTUB_NO_THREAD;
    struct run run = {GDBSTUB_NO_THREAD, GDBSTUB_NO_THREAD, 0};
    uint64_t pc;

    while ((thread = stub_next_thread(window->stub, thread)) != GDBSTUB_NO_THREAD) {
        if (!stub_read_pc(window->stub, thread, &pc))
            continue;
        if (run.first != GDBSTUB_NO_THREAD && thread == run.last + 1 && pc == run.pc) {
            run.last = thread;
            continue;
        }
        describe_run(window, &run);
        run = (struct run){thread, thread, pc};
    }
    describe_run(window, &run);
}

bool stub_describe_threads(struct window *window, struct args annex)
{
    bool places = stub_is(annex, "places");

    if (!places && !stub_at_end(&annex))
        return false;
    if (places)
        describe_places(window);
    else
        describe_threads(window);
    return true;
}
