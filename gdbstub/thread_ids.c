/*
 * thread_ids.c - qfThreadInfo qsThreadInfo qThreadExtraInfo: the list of threads one by one.
 */
#include "internal.h"

enum {
    LONGEST_ID = sizeof(",p1.0123456789abcdef") - 1,
};

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

enum verdict stub_handle_first_threads(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub->listed = GDBSTUB_NO_THREAD;
    return list_threads(stub);
}

enum verdict stub_handle_more_threads(struct gdbstub *stub, struct request *request)
{
    (void)request;
    return list_threads(stub);
}

/* qThreadExtraInfo,THREAD: "main: running, CPU 0" */
enum verdict stub_handle_thread_extra(struct gdbstub *stub, struct request *request)
{
    struct gdbstub_thread_info info;

    if (!stub_thread_info(stub, request->value[0], &info))
        return VERDICT_NO_THREAD;
    stub_put_hexed(stub, "%s: %s, CPU %u", info.name, info.state, (uint64_t)info.cpu);
    return VERDICT_REPLY;
}
