/*
 * session.c - the public door: what bytes, stops and the end of the program mean to the session.
 *
 * Knows when a reply is owed; what it says is the handlers' business.
 */
#include "internal.h"

enum {
    DETACHING_LINE_ENDS = 3,   /* typed by somebody who finds no GDB */
    MOST_OPENING_REQUESTS = 4, /* GDB's patience with one request */
};

static void send_char(struct gdbstub *stub, char c)
{
    stub->port->send(stub->port->ctx, &c, 1);
}

void gdbstub_init(struct gdbstub *stub, const struct gdbstub_port *port)
{
    memset(stub, 0, sizeof(*stub));
    stub->port = port;
    stub->running = true;
    stub->resume = STUB_ALL_THREADS;
    stub_let_run(stub);
}

bool gdbstub_attached(const struct gdbstub *stub)
{
    return stub->attached;
}

bool gdbstub_concerned(const struct gdbstub *stub)
{
    return stub->attached || stub->breakpoint_count + stub->point_count > 0;
}

gdbstub_thread gdbstub_stopped_thread(const struct gdbstub *stub)
{
    return stub->stop.thread;
}

struct gdbstub_statistics gdbstub_statistics(const struct gdbstub *stub)
{
    return stub->statistics;
}

/* GDB asked for a stop before it heard of the last one: resuming is over before it began. */
static enum gdbstub_event stop_at_once(struct gdbstub *stub)
{
    stub->interrupted = false;
    stub->order_count = 0;
    stub->stop.cause = GDBSTUB_CAUSE_SIGNAL;
    stub->stop.signal = GDBSTUB_SIGINT;
    stub_begin_reply(stub);
    stub_put_stop(stub);
    stub_send_reply(stub);
    return GDBSTUB_WAIT;
}

static enum gdbstub_event answer_request(struct gdbstub *stub)
{
    stub->attached = true;
    stub->answering = true;
    stub_begin_reply(stub);
    enum gdbstub_event event = stub_answer(stub, stub_dispatch(stub));
    if (event == GDBSTUB_RESUME && stub->interrupted)
        event = stop_at_once(stub);
    stub->answering = false;
    if (event == GDBSTUB_DETACH || event == GDBSTUB_KILL || event == GDBSTUB_RESTART)
        stub->attached = false;
    if (event == GDBSTUB_RESUME || event == GDBSTUB_DETACH)
        stub->running = true;
    return event;
}

/* Has GDB been told that the program is over, and not acknowledged it? */
static bool is_closing(const struct gdbstub *stub)
{
    return GDBSTUB_WITH_EXIT && stub->closing;
}

/* GDB has heard that the program is over. */
static void forget_client(struct gdbstub *stub)
{
    stub->closing = false;
    stub->attached = false;
}

#if GDBSTUB_WITH_TERMINAL
/* A GDB that comes in the middle of a console's text takes a '-' there for an answer, and asks
 * again before it has come to the reply: a second one it would take for that to its next request.
 */
static bool is_answered(struct gdbstub *stub, bool opening)
{
    unsigned words = (unsigned)stub->in_length << 8 | stub->checksum;
    bool answered = opening && stub->port->is_terminal && stub->openings > 0 &&
                    stub->openings < MOST_OPENING_REQUESTS && stub->opening == words;

    stub->openings = answered ? stub->openings + 1 : opening;
    stub->opening = words;
    return answered;
}

/* Is that the last of a few in a row?  Then it stands for GDB's detach. */
static bool stands_for_detach(struct gdbstub *stub, enum frame frame)
{
    stub->line_ends = frame == FRAME_LINE_END ? stub->line_ends + 1 : 0;
    if (stub->line_ends < DETACHING_LINE_ENDS || !stub->attached || !stub->port->is_terminal)
        return false;
    stub->line_ends = 0;
    stub->in[0] = 'D';
    stub->in_length = 1;
    stub->oversize = false;
    return true;
}
#else
static bool is_answered(struct gdbstub *stub, bool opening)
{
    stub->openings = opening;
    return false;
}

static bool stands_for_detach(struct gdbstub *stub, enum frame frame)
{
    (void)stub, (void)frame;
    return false;
}
#endif

static enum gdbstub_event accept_request(struct gdbstub *stub)
{
    bool opening = (stub_request_when(stub) & WHEN_OPENING) != 0;

    stub->statistics.requests++;
    /* A new GDB expects an acknowledgement, whatever a dead one had agreed on. */
    if (opening)
        stub->no_ack = false;
    if (!stub->no_ack)
        send_char(stub, '+');
    if (is_answered(stub, opening))
        return GDBSTUB_WAIT;
    stub->unacked = 0; /* who asks again has given up waiting for earlier replies */
    if (is_closing(stub))
        forget_client(stub); /* as good as an acknowledgement, or a new GDB */
    if (!stub->running)
        return answer_request(stub);
    stub->request_held = true;
    return GDBSTUB_BREAK_IN;
}

static void take_ack(struct gdbstub *stub)
{
    if (stub->unacked > 0)
        stub->unacked--;
    if (is_closing(stub) && stub->unacked == 0)
        forget_client(stub);
}

enum gdbstub_event gdbstub_receive(struct gdbstub *stub, uint8_t byte)
{
    /* The caller has been told, and has yet to stop the machine: the request must not be lost. */
    if (stub->request_held)
        return GDBSTUB_BREAK_IN;

    /* Noise may have begun what looks like a packet: while GDB waits for a stop, ^C is heard there
     * too, and is also data of the packet, should it be a real one. */
    bool interrupts =
        byte == STUB_INTERRUPT && stub->running && stub->attached && !is_closing(stub);

    stub->statistics.bytes_received++;
    enum frame frame = stub_receive_frame(stub, byte);
    if (stands_for_detach(stub, frame))
        return accept_request(stub);
    switch (frame) {
    case FRAME_REQUEST:
        return accept_request(stub);
    case FRAME_ACK:
        take_ack(stub);
        break;
    case FRAME_NAK:
        if (stub->unacked > 0 || (stub->openings > 0 && !stub->no_ack))
            stub_repeat_reply(stub);
        break;
    case FRAME_DAMAGED:
        stub->statistics.damaged++;
        if (!stub->no_ack)
            send_char(stub, '-');
        break;
    case FRAME_INTERRUPT:
        stub->interrupted = stub->attached && !interrupts;
        break;
    case FRAME_LINE_END:
    case FRAME_NONE:
        break;
    }
    return interrupts ? GDBSTUB_BREAK_IN : GDBSTUB_WAIT;
}

/* A client that announces swbreak steps past a breakpoint of the program's own by itself; any other
 * resumes where it stands, and would meet it again for ever. */
static void pass_own_breakpoint(struct gdbstub *stub)
{
    gdbstub_thread thread = stub->stop.thread;
    uint64_t pc;

    if (stub->stop.cause != GDBSTUB_CAUSE_SW_BREAK || (stub->client & CLIENT_SWBREAK) != 0 ||
        !stub_read_pc(stub, thread, &pc) || gdbstub_planted(stub, pc))
        return;
    (void)stub_write_pc(stub, thread, pc + stub->port->arch->breakpoint_size);
}

enum gdbstub_event gdbstub_stopped(struct gdbstub *stub, const struct gdbstub_stop *stop)
{
    if (is_closing(stub))
        forget_client(stub); /* it knows of the exit, and of no resume since */
    bool owed = stub->attached && stub->running;
    bool held = stub->request_held;
    enum stub_lift lift = stub_end_lift(stub, stop);

    stub->stop = *stop;
    stub->general = stop->thread;
    stub->answering = owed;
    if (stub->running && !held && stub_passes_over(stub, lift)) {
        stub->answering = false;
        return GDBSTUB_RESUME;
    }
    stub->running = false;
    stub->request_held = false;
    stub->listed_once = false;
    stub->statistics.stops++;
    /* A new GDB knows of no resume: it gets what it asked for and nothing else. */
    if (held && stub_request_when(stub) & (WHEN_OPENING | WHEN_OWED))
        owed = false;
    if (owed) {
        pass_own_breakpoint(stub);
        stub_begin_reply(stub);
        stub_put_stop(stub);
        stub_send_reply(stub);
    }
    stub->answering = false;
    return held ? answer_request(stub) : GDBSTUB_WAIT;
}

void gdbstub_abandon(struct gdbstub *stub, const char *text)
{
    if (!stub->answering)
        return;
    stub->answering = false;
    stub->running = false;
    stub->statistics.abandoned++;
    stub_answer(stub, stub_refuse(stub, text));
}
