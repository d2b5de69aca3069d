/*
 * handshake.c - how a session begins and ends: what each side can do, detach, kill.
 */
#include "internal.h"

static const struct {
    const char *item; /* of GDB's qSupported */
    unsigned feature;
} client_features[] = {
#if GDBSTUB_WITH_THREADS
    {"multiprocess+", CLIENT_MULTIPROCESS},
#endif
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

static void note_feature(struct gdbstub *stub, struct args item)
{
    for (size_t i = 0; i < sizeof(client_features) / sizeof(client_features[0]); i++) {
        if (stub_is(item, client_features[i].item))
            stub->client |= client_features[i].feature;
    }
}

/* qSupported[:ITEM;...] */
enum verdict stub_handle_supported(struct gdbstub *stub, struct request *request)
{
    begin_session(stub);
    stub_take_char(&request->args, ':');
    while (!stub_at_end(&request->args))
        note_feature(stub, stub_take_item(&request->args, ';'));
    stub_put(stub, "PacketSize=%x;QStartNoAckMode+;swbreak+", (uint64_t)GDBSTUB_PACKET_SIZE);
    if (GDBSTUB_WITH_THREADS)
        stub_put(stub, ";vContSupported+");
    if (GDBSTUB_WITH_SCAN)
        stub_put(stub, ";qSearch:memory+");
    if (GDBSTUB_WITH_FILTER)
        stub_put(stub, ";ConditionalBreakpoints+;BreakpointCommands+");
    stub_put_objects(stub);
    if (GDBSTUB_WITH_POINTS && stub->port->insert_point != NULL)
        stub_put(stub, ";hwbreak+");
    if (GDBSTUB_WITH_SYSCALLS && stub->port->has_syscalls)
        stub_put(stub, ";QCatchSyscalls+");
    if (stub->client & CLIENT_GDB) /* the one process never forks nor execs: nothing to report */
        stub_put(stub, ";binary-upload+;fork-events+;vfork-events+;exec-events+");
    if (stub->client & CLIENT_MULTIPROCESS)
        stub_put(stub, ";multiprocess+");
    if (stub->client & CLIENT_ERROR_MESSAGE)
        stub_put(stub, ";error-message+");
    return VERDICT_REPLY;
}

enum verdict stub_handle_no_ack(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub->no_ack = true;
    stub->unacked = 1; /* this OK is the last reply that GDB acknowledges */
    return VERDICT_OK;
}

/* qAttached[:PID]: "1" makes GDB detach when it quits, not kill. */
enum verdict stub_handle_attached(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_put_char(stub, stub->created ? '0' : '1');
    return VERDICT_REPLY;
}

/* qOffsets: the kernel runs where it was linked */
enum verdict stub_handle_offsets(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_put(stub, "Text=0;Data=0;Bss=0");
    return VERDICT_REPLY;
}

/* QNonStop:0 or :1 */
enum verdict stub_handle_non_stop(struct gdbstub *stub, struct request *request)
{
    if (stub_take(request, "0$"))
        return VERDICT_OK;
    return stub_refuse(stub, "the machine stops as a whole: say set non-stop off");
}

/* qSymbol::, the offer to look symbols up: there is nothing to ask. */
enum verdict stub_handle_symbol(struct gdbstub *stub, struct request *request)
{
    (void)stub, (void)request;
    return VERDICT_OK;
}

/* D[;PID] */
enum verdict stub_handle_detach(struct gdbstub *stub, struct request *request)
{
    if (!stub_at_end(&request->args) && !stub_take(request, ";1$"))
        return VERDICT_INVALID;
    stub_remove_session(stub);
    stub_let_run(stub);
    return VERDICT_DETACH;
}

enum verdict stub_handle_kill(struct gdbstub *stub, struct request *request)
{
    (void)request;
    stub_remove_everything(stub);
    return VERDICT_KILL;
}

/* vKill;PID.  On an extended connection vRun may follow: the machine is kept, stopped. */
enum verdict stub_handle_kill_process(struct gdbstub *stub, struct request *request)
{
    if (request->value[0] != STUB_PROCESS_ID)
        return VERDICT_INVALID;
    stub_remove_everything(stub);
    return stub->extended ? VERDICT_OK : VERDICT_KILL_OK;
}
