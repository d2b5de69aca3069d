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

    stub_window_text(window, "<thread id=\"p1.");
    stub_window_hex(window, thread);
    stub_window_text(window, "\"");
    if (detail == DETAIL_ID || !stub_thread_info(window->stub, thread, &info)) {
        stub_window_text(window, "/>");
        return;
    }
    stub_window_text(window, " core=\"");
    stub_window_decimal(window, info.cpu);
    stub_window_text(window, "\"");
    stub_window_attribute(window, "name", info.name);
    if (detail == DETAIL_NAME) {
        stub_window_text(window, "/>");
        return;
    }
    stub_window_text(window, ">");
    stub_window_escaped(window, info.state);
    stub_window_text(window, "</thread>");
}

static void describe_threads(struct window *window)
{
    gdbstub_thread thread = GDBSTUB_NO_THREAD;

    stub_window_text(window, "<threads>");
    while ((thread = stub_next_thread(window->stub, thread)) != GDBSTUB_NO_THREAD)
        describe_thread(window, thread);
    stub_window_text(window, "</threads>");
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
    stub_window_hex(window, run->first);
    if (run->last != run->first) {
        stub_window_text(window, "-");
        stub_window_hex(window, run->last);
    }
    stub_window_text(window, ":");
    stub_window_hex(window, run->pc);
    stub_window_text(window, ";");
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
        if (run.first != GDBSTUB_NO_THREAD)
            describe_run(window, &run);
        run = (struct run){thread, thread, pc};
    }
    if (run.first != GDBSTUB_NO_THREAD)
        describe_run(window, &run);
}

bool stub_describe_threads(struct window *window, struct args *annex)
{
    bool places = stub_take_text(annex, "places");

    if (!stub_at_end(annex))
        return false;
    if (places)
        describe_places(window);
    else
        describe_threads(window);
    return true;
}
