/*
 * extended.c - ! vRun R vAttach: a connection that outlives the program, which is the machine.
 *
 * Starting the program is resetting the machine.  What its next life must know of the session is
 * one word, which the port carries over.
 */
#include "internal.h"

enum {
    SAVED_VALID = 1 << 30,
    SAVED_NO_ACK = 1 << 29,
    SAVED_CLIENT = SAVED_NO_ACK - 1,
};

/* ! */
enum verdict stub_handle_extended(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub->extended = true;
    return VERDICT_OK;
}

/* vRun;FILE;ARGUMENT...: there is one file, and its arguments are the boot loader's.  The reply is
 * the stop reply of the machine that begins. */
enum verdict stub_handle_run(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_remove_everything(stub);
    stub->created = true;
    return VERDICT_RESTART;
}

/* RXX: has no reply at all */
enum verdict stub_handle_restart(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_remove_everything(stub);
    return VERDICT_RESTART;
}

/* vAttach;PID: to the machine, which has stopped to answer this */
enum verdict stub_handle_attach(struct gdbstub *stub, struct request *request)
{
    if (request->value[0] != STUB_PROCESS_ID)
        return stub_refuse(stub, "there is one process, the kernel: its number is 1");
    stub->created = false;
    stub_put_stop(stub);
    return VERDICT_REPLY;
}

uint32_t gdbstub_save(const struct gdbstub *stub)
{
    if (!stub->created)
        return 0;
    return SAVED_VALID | (stub->no_ack ? SAVED_NO_ACK : 0) |
           (stub->client & (uint32_t)SAVED_CLIENT);
}

void gdbstub_restore(struct gdbstub *stub, uint32_t saved)
{
    if ((saved & SAVED_VALID) == 0)
        return;
    stub->client = saved & SAVED_CLIENT;
    stub->no_ack = (saved & SAVED_NO_ACK) != 0;
    stub->extended = stub->created = stub->attached = true;
}
