/*
 * fuzz_gdbstub.c - libFuzzer drives a whole session: bytes, requests, stops, exits, faults.
 *
 * The fake client aborts when the stub sends anything but proper packets and acknowledgements; this
 * file checks in addition that each request to a stopped machine gets its one reply, and that a new
 * session finds everything removed, whatever went before.
 */
#include "fake_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Requests to begin with; the input patches bytes of them. */
static const char *const templates[] = {
    "qSupported:multiprocess+;swbreak+;hwbreak+;error-message+",
    "QStartNoAckMode",
    "qXfer:features:read:target.xml:0,ffb",
    "qXfer:features:read:target.xml:10,20",
    "?",
    "g",
    "p10",
    "P10=0010000000000000",
    "G0011223344556677",
    "m1000,40",
    "mffe,ffff",
    "mfffffffffffffff0,40",
    "x1000,800",
    "M1000,4:01020304",
    "X1000,4:}]ab",
    "Mffe,4:01020304",
    "Z0,1000,1",
    "Z0,1000,1;X3,220027",
    "Z0,1000,1;X4,26000027;cmds:1,Xf,22002200340000066869745c6e0027",
    "Z0,1001,1",
    "z0,1000,1",
    "Z1,1000,1",
    "Z2,3000,4",
    "z2,3000,4",
    "Z4,3000,8",
    "vCont?",
    "vCont;c",
    "vCont;s:p1.1;c",
    "vCont;r1000,1010:p1.1",
    "vCont;C0b:p1.2;S05:1",
    "c1000",
    "C05;1000",
    "s",
    "Hg2",
    "Hc2",
    "Hgp1.-1",
    "Tp1.1",
    "qC",
    "qfThreadInfo",
    "qsThreadInfo",
    "qThreadExtraInfo,p1.1",
    "qRcmd,68656c6c6f",
    "qRcmd,6d616e79",
    "qAttached:1",
    "D;1",
    "k",
    "vKill;1",
    "vCtrlC",
    "qCRC:1000,3000",
    "qSearch:memory:1000;f000;abc}]",
    "qXfer:threads:read::0,1000",
    "qXfer:memory-map:read::0,ff",
    "qXfer:exec-file:read:1:0,ff",
    "qXfer:osdata:read::0,ff",
    "qMemoryRegionInfo:1000",
    "vFile:open:636f756e74696e67,0,0",
    "vFile:pread:1,1000,0",
    "vFile:fstat:1",
    "!",
    "vRun;",
    "R00",
    "vAttach;1",
    "QCatchSyscalls:1;1;3c",
    "qHostInfo",
    "QThreadSuffixSupported",
    "QListThreadsInStopReply",
    "jThreadsInfo",
    "p10;thread:1;",
};

enum {
    TEMPLATES = sizeof(templates) / sizeof(templates[0]),
    RECEIVED_AT_ONCE = 8, /* bytes */
};

struct input {
    const uint8_t *at, *end;
};

static uint8_t next(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static size_t left(const struct input *input, size_t wanted)
{
    size_t rest = (size_t)(input->end - input->at);

    return wanted < rest ? wanted : rest;
}

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_gdbstub: %s\n", what);
    abort();
}

/* Take all packets that have come; returns how many. */
static unsigned drain(struct fake_machine *machine)
{
    unsigned packets = 0;

    while (fake_take_packet(machine, NULL) >= 0)
        packets++;
    machine->output_length = machine->output_taken = 0;
    return packets;
}

/* One reply to a request when the machine is stopped; console output may come before it. */
static void request(struct fake_machine *machine, const void *bytes, size_t len)
{
    bool stopped = !machine->stub.running;
    enum gdbstub_event event;

    drain(machine);
    event = fake_request(machine, bytes, len);
    unsigned replies = drain(machine);
    if (stopped && event == GDBSTUB_WAIT && replies == 0 && !memchr(bytes, '$', len) &&
        !memchr(bytes, '#', len))
        fail("a request without a reply");
    if (event == GDBSTUB_RESUME && replies != 0)
        fail("a reply to a resume");
}

static void request_from_template(struct fake_machine *machine, struct input *input)
{
    char text[128];
    const char *template = templates[next(input) % TEMPLATES];
    size_t len = strlen(template);

    memcpy(text, template, len);
    for (unsigned patches = next(input) % 4; patches > 0; patches--) {
        size_t at = next(input) % (len + 1);
        text[at] = (char)next(input);
        if (at == len)
            len++;
    }
    request(machine, text, len);
}

static void stop(struct fake_machine *machine, struct input *input)
{
    enum gdbstub_cause cause = next(input) % 7;
    enum gdbstub_signal signal = next(input) % 16;
    gdbstub_thread thread = 1 + next(input) % 2;

    fake_set(machine, thread, FAKE_RIP, 0x1000u + next(input) % 32);
    fake_stop(machine, cause, signal, thread);
}

/* Something about the machine changes. */
static void change(struct fake_machine *machine, struct input *input)
{
    uint8_t what = next(input), value = next(input);

    switch (what % 8) {
    case 0:
        machine->absent[value % FAKE_PAGES] ^= 1;
        break;
    case 1:
        machine->read_only[value % FAKE_PAGES] ^= 1;
        break;
    case 2:
        machine->rom[value % FAKE_PAGES] ^= 1;
        break;
    case 3:
        machine->dead_thread = machine->dead_thread == 2 ? 0 : 2;
        break;
    case 4:
        machine->without_value[value % FAKE_REGISTERS] ^= 1;
        break;
    case 5:
        machine->unsteppable = value % 3;
        break;
    case 6:
        machine->memory[FAKE_PAGE + value % 32] = value;
        break;
    default:
        machine->threads = 2 + value % 2 * 600;
        break;
    }
}

/* A reply may be asked for with each byte: no more of them than there is room for. */
static void receive(struct fake_machine *machine, const uint8_t *bytes, size_t len)
{
    for (size_t done = 0; done < len; done += RECEIVED_AT_ONCE) {
        size_t rest = len - done;

        fake_receive(machine, bytes + done, rest < RECEIVED_AT_ONCE ? rest : RECEIVED_AT_ONCE);
        drain(machine);
    }
}

static void act(struct fake_machine *machine, struct input *input)
{
    uint8_t what = next(input);
    size_t len;

    switch (what % 8) {
    case 0: /* raw bytes */
        len = left(input, next(input));
        receive(machine, input->at, len);
        input->at += len;
        break;
    case 1: /* a request of any bytes, perhaps a long one */
        len = left(input, 40u * next(input));
        request(machine, input->at, len);
        input->at += len;
        break;
    case 2:
    case 3:
    case 4:
        request_from_template(machine, input);
        break;
    case 5:
        stop(machine, input);
        break;
    case 6:
        change(machine, input);
        break;
    default:
        if (what < 128)
            gdbstub_print(&machine->stub, "some text\n", 10);
        else if (what < 160)
            gdbstub_exited(&machine->stub, what);
        else if (what < 176)
            gdbstub_killed(&machine->stub, GDBSTUB_SIGSEGV);
        else
            gdbstub_abandon(&machine->stub, "a fault");
        break;
    }
    drain(machine);
    if (machine->stub.breakpoint_count > GDBSTUB_MAX_BREAKPOINTS ||
        machine->stub.point_count > GDBSTUB_MAX_POINTS)
        fail("a table that is more than full");
}

/* Whatever happened: a new client gets its answer, and finds nothing planted. */
static void begin_anew(struct fake_machine *machine)
{
    int acks;

    machine->dead_thread = 0;
    drain(machine);
    if (machine->stub.request_held)
        fake_stop(machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    drain(machine);
    if (fake_request(machine, "qSupported", 10) == GDBSTUB_BREAK_IN)
        fake_stop(machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    if (fake_take_packet(machine, &acks) < 0 || acks != 1 ||
        strncmp(machine->reply, "PacketSize=", 11) != 0)
        fail("a new session is not answered");
    if (machine->stub.breakpoint_count != 0)
        fail("a breakpoint outlives its session");
    for (size_t i = 0; i < FAKE_POINTS; i++) {
        if (machine->points[i].used)
            fail("a hardware point outlives its session");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake_machine machine;
    struct input input = {data, data + size};

    fake_init(&machine);
    if (next(&input) % 2 == 0)
        fake_attach(&machine);
    while (input.at < input.end)
        act(&machine, &input);
    begin_anew(&machine);
    return 0;
}
