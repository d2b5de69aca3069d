/*
 * lldb.c - what LLDB asks beyond GDB's protocol: which machine this is, and all threads at once.
 *
 * Without these packets LLDB works too, in more round trips, and with threads that have no names.
 */
#include "internal.h"

static void put_machine(struct gdbstub *stub)
{
    stub_put_text(stub, "triple:");
    stub_put_hex_text(stub, stub->port->arch->triple);
    stub_put_text(stub, ";ptrsize:");
    stub_put_number(stub, stub->port->arch->registers[stub->port->arch->pc].bits / 8u);
    stub_put_text(stub,
                  __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ";endian:little;" : ";endian:big;");
}

/* qHostInfo */
enum verdict stub_handle_host(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    put_machine(stub);
    return VERDICT_REPLY;
}

/* qProcessInfo */
enum verdict stub_handle_process(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub_put_text(stub, "pid:");
    stub_put_number(stub, STUB_PROCESS_ID);
    stub_put_char(stub, ';');
    put_machine(stub);
    return VERDICT_REPLY;
}

static enum verdict agree(struct gdbstub *stub, const struct args *args,
                          enum client_feature feature)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub->client |= feature;
    return VERDICT_OK;
}

/* QThreadSuffixSupported: g G p P may end in ";thread:ID;" from now on */
enum verdict stub_handle_suffix(struct gdbstub *stub, struct args *args)
{
    return agree(stub, args, CLIENT_THREAD_SUFFIX);
}

/* QListThreadsInStopReply */
enum verdict stub_handle_list_in_stop(struct gdbstub *stub, struct args *args)
{
    return agree(stub, args, CLIENT_THREADS_IN_STOP);
}

/* Where ";thread:" begins, or the end. */
static uint8_t *find_suffix(const struct args *args)
{
    struct args rest = *args;

    for (; !stub_at_end(&rest); rest.at++) {
        struct args probe = rest;
        if (stub_take_text(&probe, ";thread:"))
            return rest.at;
    }
    return rest.at;
}

enum verdict stub_take_suffix(struct gdbstub *stub, struct args *args)
{
    struct args suffix = {find_suffix(args), args->end};
    gdbstub_thread thread;

    if (stub_at_end(&suffix))
        return VERDICT_OK;
    args->end = suffix.at;
    if (!stub_take_text(&suffix, ";thread:") || !stub_take_thread(&suffix, &thread))
        return VERDICT_MALFORMED;
    if (!stub_thread_exists(stub, thread))
        return VERDICT_NO_THREAD;
    stub->general = thread;
    return VERDICT_OK;
}

/* ---- Threads ---- */

/* JSON, whose braces need escapes; what does not fit makes the whole reply an error. */
static void put_json(struct gdbstub *stub, const char *text)
{
    for (; *text != '\0'; text++) {
        if (!stub_put_binary(stub, (uint8_t)*text))
            stub->reply_overflow = true;
    }
}

static void put_json_string(struct gdbstub *stub, const char *text)
{
    put_json(stub, "\"");
    for (; *text != '\0'; text++) {
        char c[] = {*text, '\0'};
        put_json(stub, *text >= ' ' && *text != '"' && *text != '\\' ? c : "_");
    }
    put_json(stub, "\"");
}

static void put_json_number(struct gdbstub *stub, uint64_t value)
{
    char digits[STUB_DECIMAL_BYTES];

    put_json(stub, stub_decimal(value, digits + sizeof(digits)));
}

static void put_json_registers(struct gdbstub *stub, gdbstub_thread thread)
{
    const struct gdbstub_port *port = stub->port;
    uint8_t value[GDBSTUB_REGISTER_BYTES];
    const char *separator = "\"";

    put_json(stub, ",\"registers\":{");
    for (size_t i = 0; i < port->arch->expedited_count; i++) {
        size_t reg = port->arch->expedited[i];
        if (!port->read_register(port->ctx, thread, reg, value))
            continue;
        put_json(stub, separator);
        put_json_number(stub, reg);
        put_json(stub, "\":\"");
        stub_put_bytes(stub, value, port->arch->registers[reg].bits / 8u);
        put_json(stub, "\"");
        separator = ",\"";
    }
    put_json(stub, "}");
}

static void put_json_thread(struct gdbstub *stub, gdbstub_thread thread)
{
    struct gdbstub_thread_info info;

    put_json(stub, "{\"tid\":");
    put_json_number(stub, thread);
    if (stub_thread_info(stub, thread, &info)) {
        put_json(stub, ",\"name\":");
        put_json_string(stub, info.name);
    }
    if (thread == stub->stop.thread) {
        put_json(stub, ",\"reason\":\"signal\",\"signal\":");
        put_json_number(stub, stub->stop.signal);
    }
    put_json_registers(stub, thread);
    put_json(stub, "}");
}

/* jThreadsInfo: if they do not fit a packet, LLDB asks for what it needs one by one. */
enum verdict stub_handle_threads_json(struct gdbstub *stub, struct args *args)
{
    gdbstub_thread thread = GDBSTUB_NO_THREAD;
    const char *separator = "[";

    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    while (!stub->reply_overflow &&
           (thread = stub_next_thread(stub, thread)) != GDBSTUB_NO_THREAD) {
        put_json(stub, separator);
        put_json_thread(stub, thread);
        separator = ",";
    }
    put_json(stub, "]");
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
    stub_put_text(stub, "threads");
    while ((thread = stub_next_thread(stub, thread)) != GDBSTUB_NO_THREAD) {
        if (stub->reply_length - before > LONGEST_LIST) {
            stub->reply_length = before; /* LLDB asks for the list */
            return;
        }
        stub_put_char(stub, separator);
        stub_put_number(stub, thread);
        separator = ',';
    }
    stub_put_char(stub, ';');
}
