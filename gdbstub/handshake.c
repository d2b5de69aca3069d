/*
 * handshake.c - how a session begins and ends: what each side can do, detach, kill.
 */
#include "internal.h"

static const struct {
    const char *item; /* of GDB's qSupported */
    unsigned feature;
} client_features[] = {
    {"multiprocess+", CLIENT_MULTIPROCESS},
    {"swbreak+", CLIENT_SWBREAK},
    {"hwbreak+", CLIENT_HWBREAK},
    {"error-message+", CLIENT_ERROR_MESSAGE},
    {"swbreak+", CLIENT_GDB}, /* every GDB that has `x` announces this, LLDB does not */
    {"binary-upload+", CLIENT_GDB},
};

/* Whatever a GDB that died has left: nothing of it is the new one's. */
static void begin_session(struct gdbstub *stub)
{
    stub_remove_everything(stub);
    stub->client = 0;
    stub->interrupted = false;
    stub->general = stub->stop.thread;
    stub->resume = STUB_ALL_THREADS;
    stub->listed = GDBSTUB_NO_THREAD;
    stub->listed_once = false;
    stub->extended = false;
    stub->catches_all = false;
    memset(stub->caught, 0, sizeof(stub->caught));
}

static void note_feature(struct gdbstub *stub, const struct args *item)
{
    for (size_t i = 0; i < sizeof(client_features) / sizeof(client_features[0]); i++) {
        struct args rest = *item;
        if (stub_take_text(&rest, client_features[i].item) && stub_at_end(&rest))
            stub->client |= client_features[i].feature;
    }
}

/* qSupported[:ITEM;...] */
enum verdict stub_handle_supported(struct gdbstub *stub, struct args *args)
{
    begin_session(stub);
    stub_take_char(args, ':');
    while (!stub_at_end(args)) {
        struct args item = stub_take_item(args, ';');
        note_feature(stub, &item);
    }
    stub_put_text(stub, "PacketSize=");
    stub_put_number(stub, GDBSTUB_PACKET_SIZE);
    stub_put_text(stub, ";QStartNoAckMode+;vContSupported+;swbreak+");
    if (GDBSTUB_WITH_SCAN)
        stub_put_text(stub, ";qSearch:memory+");
    if (GDBSTUB_WITH_FILTER)
        stub_put_text(stub, ";ConditionalBreakpoints+;BreakpointCommands+");
    stub_put_objects(stub);
    if (stub->port->insert_point != NULL)
        stub_put_text(stub, ";hwbreak+");
    if (GDBSTUB_WITH_SYSCALLS && stub->port->has_syscalls)
        stub_put_text(stub, ";QCatchSyscalls+");
    if (stub->client & CLIENT_GDB) /* the one process never forks nor execs: nothing to report */
        stub_put_text(stub, ";binary-upload+;fork-events+;vfork-events+;exec-events+");
    if (stub->client & CLIENT_MULTIPROCESS)
        stub_put_text(stub, ";multiprocess+");
    if (stub->client & CLIENT_ERROR_MESSAGE)
        stub_put_text(stub, ";error-message+");
    return VERDICT_REPLY;
}

enum verdict stub_handle_no_ack(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub->no_ack = true;
    stub->unacked = 1; /* this OK is the last reply that GDB acknowledges */
    return VERDICT_OK;
}

/* qAttached[:PID]: "1" makes GDB detach when it quits, not kill. */
enum verdict stub_handle_attached(struct gdbstub *stub, struct args *args)
{
    (void)args;
    stub_put_char(stub, stub->created ? '0' : '1');
    return VERDICT_REPLY;
}

/* qOffsets: the kernel runs where it was linked */
enum verdict stub_handle_offsets(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub_put_text(stub, "Text=0;Data=0;Bss=0");
    return VERDICT_REPLY;
}

/* QNonStop:0 or :1 */
enum verdict stub_handle_non_stop(struct gdbstub *stub, struct args *args)
{
    if (!stub_take_char(args, ':'))
        return VERDICT_MALFORMED;
    if (stub_take_char(args, '0') && stub_at_end(args))
        return VERDICT_OK;
    return stub_refuse(stub, "the machine stops as a whole: say set non-stop off");
}

/* qSymbol::, the offer to look symbols up: there is nothing to ask. */
enum verdict stub_handle_symbol(struct gdbstub *stub, struct args *args)
{
    (void)stub;
    (void)args;
    return VERDICT_OK;
}

/* Is this the one process? */
static bool take_process(struct args *args)
{
    uint64_t process;

    return stub_take_char(args, ';') && stub_take_number(args, &process) &&
           process == STUB_PROCESS_ID && stub_at_end(args);
}

/* D[;PID] */
enum verdict stub_handle_detach(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args) && !take_process(args))
        return VERDICT_INVALID;
    stub_remove_session(stub);
    stub_let_run(stub);
    return VERDICT_DETACH;
}

enum verdict stub_handle_kill(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    stub_remove_everything(stub);
    return VERDICT_KILL;
}

/* vKill;PID.  On an extended connection vRun may follow: the machine is kept, stopped. */
enum verdict stub_handle_kill_process(struct gdbstub *stub, struct args *args)
{
    if (!take_process(args))
        return VERDICT_INVALID;
    stub_remove_everything(stub);
    return stub->extended ? VERDICT_OK : VERDICT_KILL_OK;
}
