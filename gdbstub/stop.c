/*
 * stop.c - tell GDB why the machine stopped, with the registers it looks at first, so that it need
 * not ask for them.
 */
#include "internal.h"

struct reason {
    const char *text; /* NULL: the signal says it all */
    unsigned client;  /* sent only to clients that announced it; 0: to all */
    bool address;     /* followed by the address */
};

static const struct reason reasons[] = {
    [GDBSTUB_CAUSE_SIGNAL] = {NULL, 0, false},
    [GDBSTUB_CAUSE_SW_BREAK] = {"swbreak:", CLIENT_SWBREAK, false},
    [GDBSTUB_CAUSE_HW_BREAK] = {"hwbreak:", CLIENT_HWBREAK, false},
    [GDBSTUB_CAUSE_WATCH_WRITE] = {"watch:", 0, true},
    [GDBSTUB_CAUSE_WATCH_ACCESS] = {"awatch:", 0, true},
    [GDBSTUB_CAUSE_SYSCALL_ENTRY] = {"syscall_entry:", 0, true},
    [GDBSTUB_CAUSE_SYSCALL_RETURN] = {"syscall_return:", 0, true},
};

static void put_reason(struct gdbstub *stub)
{
    const struct reason *reason = &reasons[stub->stop.cause];

    if (reason->text == NULL || (reason->client & ~stub->client) != 0)
        return;
    stub_put(stub, reason->text);
    if (reason->address)
        stub_put(stub, "%x", stub->stop.address);
    stub_put_char(stub, ';');
}

static void put_registers(struct gdbstub *stub)
{
    const struct gdbstub_arch *arch = stub->port->arch;
    uint8_t value[GDBSTUB_REGISTER_BYTES];

    for (size_t i = 0; i < arch->expedited_count; i++) {
        size_t reg = arch->expedited[i];
        if (!stub->port->read_register(stub->port->ctx, stub->stop.thread, reg, value))
            continue;
        /* Two digits at least: a single one looks like a part of T05. */
        stub_put(stub, reg < 0x10 ? "0%x:" : "%x:", (uint64_t)reg);
        stub_put_bytes(stub, value, arch->registers[reg].bits / 8u);
        stub_put_char(stub, ';');
    }
}

/* Its CPU is in the list of threads, which GDB reads at each stop that it shows. */
static void put_thread(struct gdbstub *stub)
{
    stub_put(stub, "thread:");
    stub_put_thread(stub, stub->stop.thread);
    stub_put_char(stub, ';');
}

void stub_put_stop(struct gdbstub *stub)
{
    uint8_t signal = (uint8_t)stub->stop.signal;

    stub_put_char(stub, 'T');
    stub_put_bytes(stub, &signal, 1);
    put_reason(stub); /* before the registers: GDB then knows how to read the pc */
    put_registers(stub);
    if (GDBSTUB_WITH_THREADS) /* a GDB that is told of one asks T whether it is alive */
        put_thread(stub);
    stub_put_threads(stub);
}

/* '?' */
enum verdict stub_handle_why(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_put_stop(stub);
    return VERDICT_REPLY;
}

/* vCtrlC: what it asks for has happened before it could be answered. */
enum verdict stub_handle_interrupt(struct gdbstub *stub, struct request *request)
{
    (void)stub, (void)request;
    return VERDICT_OK;
}
