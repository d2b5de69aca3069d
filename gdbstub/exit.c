/*
 * exit.c - W and X: the program is over, and with it the session.
 */
#include "internal.h"

static bool tell_end(struct gdbstub *stub, char how, uint8_t value)
{
    bool owed = stub->attached && stub->running && !stub->request_held;

    stub_remove_everything(stub);
    stub->request_held = false;
    stub->attached = false;
    if (!owed)
        return false;
    stub_begin_reply(stub);
    stub_put_char(stub, how);
    stub_put_bytes(stub, &value, 1);
    if (stub->client & CLIENT_MULTIPROCESS)
        stub_put(stub, ";process:%x", (uint64_t)STUB_PROCESS_ID);
    stub_send_reply(stub);
    stub->closing = !stub->no_ack;
    stub->attached = stub->closing;
    return true;
}

bool gdbstub_exited(struct gdbstub *stub, uint8_t status)
{
    return tell_end(stub, 'W', status);
}

bool gdbstub_killed(struct gdbstub *stub, enum gdbstub_signal signal)
{
    return tell_end(stub, 'X', (uint8_t)signal);
}
