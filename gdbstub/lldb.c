/*
 * lldb.c - what LLDB asks beyond GDB's protocol: which machine this is, and all threads at once.
 *
 * Without these packets LLDB works too, in more round trips, and with threads that have no names.
 */
#include "internal.h"

static void put_machine(struct gdbstub *stub)
{
    const struct gdbstub_arch *arch = stub->port->arch;

    stub_put(stub, "triple:");
    stub_put_hexed(stub, "%s", arch->triple);
    stub_put(stub, ";ptrsize:%x;endian:%s;", (uint64_t)arch->registers[arch->pc].bits / 8,
             __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "little" : "big");
}

/* qHostInfo */
enum verdict stub_handle_host(struct gdbstub *stub, struct request *request)
{
    (void)request;
    put_machine(stub);
    return VERDICT_REPLY;
}

/* qProcessInfo */
enum verdict stub_handle_process(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_put(stub, "pid:%x;", (uint64_t)STUB_PROCESS_ID);
    put_machine(stub);
    return VERDICT_REPLY;
}

/* QThreadSuffixSupported: g G p P may end in ";thread:ID;" from now on */
enum verdict stub_handle_suffix(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub->client |= CLIENT_THREAD_SUFFIX;
    return VERDICT_OK;
}

/* QListThreadsInStopReply */
enum verdict stub_handle_list_in_stop(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub->client |= CLIENT_THREADS_IN_STOP;
    return VERDICT_OK;
}

enum verdict stub_take_suffix(struct gdbstub *stub, struct args *args)
{
    struct request suffix;

    for (suffix.args = *args; !stub_at_end(&suffix.args); suffix.args.at++) {
        uint8_t *at = suffix.args.at;
        if (*at != ';')
            continue;
        if (!stub_take(&suffix, ";thread:@")) /* its own ';' may follow */
            return VERDICT_MALFORMED;
        if (!stub_thread_exists(stub, suffix.value[0]))
            return VERDICT_NO_THREAD;
        stub->general = suffix.value[0];
        args->end = at;
        break;
    }
    return VERDICT_OK;
}

/* ---- Threads ---- */

static void put_json_registers(struct gdbstub *stub, gdbstub_thread thread)
{
    const struct gdbstub_port *port = stub->port;
    uint8_t value[GDBSTUB_REGISTER_BYTES];
    const char *separator = "";

    for (size_t i = 0; i < port->arch->expedited_count; i++) {
        size_t reg = port->arch->expedited[i];
        if (!port->read_register(port->ctx, thread, reg, value))
            continue;
        stub_put(stub, "%s\"%u\":\"", separator, (uint64_t)reg);
        stub_put_bytes(stub, value, port->arch->registers[reg].bits / 8u);
        stub_put_char(stub, '"');
        separator = ",";
    }
}

static void put_json_thread(struct gdbstub *stub, gdbstub_thread thread)
{
    struct gdbstub_thread_info info;

    stub_put(stub, "{\"tid\":%u", thread);
    if (stub_thread_info(stub, thread, &info))
        stub_put(stub, ",\"name\":\"%q\"", info.name);
    if (thread == stub->stop.thread)
        stub_put(stub, ",\"reason\":\"signal\",\"signal\":%u", (uint64_t)stub->stop.signal);
    stub_put(stub, ",\"registers\":{");
    put_json_registers(stub, thread);
    stub_put(stub, "}}");
}

/* jThreadsInfo: if they do not fit a packet, LLDB asks for what it needs one by one. */
enum verdict stub_handle_threads_json(struct gdbstub *stub, struct request *request)
{
    gdbstub_thread thread = GDBSTUB_NO_THREAD;
    char separator = '[';

    (void)request;
    while (!stub->reply_overflow &&
           (thread = stub_next_thread(stub, thread)) != GDBSTUB_NO_THREAD) {
        stub_put_char(stub, separator);
        put_json_thread(stub, thread);
        separator = ',';
    }
    stub_put_char(stub, ']');
    return VERDICT_REPLY;
}

void stub_put_threads(struct gdbstub *stub)
{
    enum { LONGEST_LIST = 512 };
    gdbstub_thread thread = GDBSTUB_NO_THREAD;
    size_t before = stub->reply_length;
    char separator = ':';

    if ((stub->client & CLIENT_THREADS_IN_STOP) == 0)
        return;
    stub_put(stub, "threads");
    while ((thread = stub_next_thread(stub, thread)) != GDBSTUB_NO_THREAD) {
        if (stub->reply_length - before > LONGEST_LIST) {
            stub->reply_length = before; /* LLDB asks for the list */
            return;
        }
        stub_put_char(stub, separator);
        stub_put(stub, "%x", thread);
        separator = ',';
    }
    stub_put_char(stub, ';');
}
