/*
 * thread_list.c - qXfer:threads: all threads in one reply, with names, states and CPUs.
 *
 * GDB reads the list by itself at each stop, to see which threads there are: that first one holds
 * ids, and all about the thread that stopped.  Whoever asks again before the machine resumes wants
 * to look at it (`info threads`), and gets everything.
 */
#include "internal.h"

static void describe_thread(struct window *window, gdbstub_thread thread, bool whole)
{
    struct gdbstub_thread_info info;

    stub_window_text(window, "<thread id=\"p1.");
    stub_window_hex(window, thread);
    stub_window_text(window, "\"");
    if (!whole || !stub_thread_info(window->stub, thread, &info)) {
        stub_window_text(window, "/>");
        return;
    }
    stub_window_text(window, " core=\"");
    stub_window_decimal(window, info.cpu);
    stub_window_text(window, "\"");
    stub_window_attribute(window, "name", info.name);
    stub_window_text(window, ">");
    stub_window_escaped(window, info.state);
    stub_window_text(window, "</thread>");
}

bool stub_describe_threads(struct window *window, struct args *annex)
{
    struct gdbstub *stub = window->stub;
    gdbstub_thread thread = GDBSTUB_NO_THREAD;

    if (!stub_at_end(annex))
        return false;
    stub_window_text(window, "<threads>");
    while ((thread = stub_next_thread(stub, thread)) != GDBSTUB_NO_THREAD)
        describe_thread(window, thread, stub->listed_once || thread == stub->stop.thread);
    stub_window_text(window, "</threads>");
    if (!window->more)
        stub->listed_once = true;
    return true;
}
