/*
 * fake_client.c - the other end of the wire, with a run-length decoder of its own.
 */
#include "fake_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum gdbstub_event fake_receive(struct fake_machine *machine, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    enum gdbstub_event last = GDBSTUB_WAIT;

    for (; len > 0; len--) {
        enum gdbstub_event event = gdbstub_receive(&machine->stub, *byte++);
        if (event != GDBSTUB_WAIT)
            last = event;
    }
    return last;
}

enum gdbstub_event fake_request(struct fake_machine *machine, const void *data, size_t len)
{
    const uint8_t *byte = data;
    char tail[4];
    unsigned sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += byte[i];
    snprintf(tail, sizeof(tail), "#%02x", sum & 0xff);
    fake_receive(machine, "$", 1);
    fake_receive(machine, data, len);
    return fake_receive(machine, tail, 3);
}

enum gdbstub_event fake_stop(struct fake_machine *machine, enum gdbstub_cause cause,
                             enum gdbstub_signal signal, gdbstub_thread thread)
{
    const struct gdbstub_stop stop = {cause, signal, thread, 0x3000};

    return gdbstub_stopped(&machine->stub, &stop);
}

static void fail(const struct fake_machine *machine, const char *what)
{
    fprintf(stderr, "fake_client: %s, at byte %zu of: %.*s\n", what, machine->output_taken,
            (int)machine->output_length, (const char *)machine->output);
    abort();
}

static int next_byte(struct fake_machine *machine)
{
    if (machine->output_taken == machine->output_length)
        fail(machine, "a packet ends too early");
    return machine->output[machine->output_taken++];
}

/* Expand "c*n"; the counts that would look like framing are errors, and so is a run of what an
 * escape made. */
static size_t expand(struct fake_machine *machine, size_t len, int count)
{
    char *packet = machine->reply;
    int repeats = count - 29;

    if (len == 0)
        fail(machine, "a run of nothing");
    if (repeats < 3 || repeats > 97)
        fail(machine, "a run length out of range");
    if (count == '#' || count == '$' || count == '+' || count == '-')
        fail(machine, "a run length that looks like framing");
    if (len > 1 && packet[len - 2] == '}')
        fail(machine, "a run of an escaped character");
    if (len + (size_t)repeats >= FAKE_PACKET)
        fail(machine, "a packet too long to be one");
    memset(packet + len, packet[len - 1], (size_t)repeats);
    return (size_t)repeats;
}

/* Skip acknowledgements up to a packet's '$'.  False if there is none. */
static bool find_packet(struct fake_machine *machine, int *acks)
{
    *acks = 0;
    while (machine->output_taken < machine->output_length) {
        int byte = next_byte(machine);
        if (byte == '$')
            return true;
        if (byte != '+' && byte != '-')
            fail(machine, "neither a packet nor an acknowledgement");
        *acks += byte == '+';
    }
    return false;
}

static void check_sum(struct fake_machine *machine, unsigned sum)
{
    char digits[3] = {(char)next_byte(machine), (char)next_byte(machine), '\0'};

    if (strspn(digits, "0123456789abcdef") != 2 || strtoul(digits, NULL, 16) != (sum & 0xff))
        fail(machine, "a wrong checksum");
}

long fake_take_packet(struct fake_machine *machine, int *acks)
{
    unsigned sum = 0;
    size_t len = 0;
    int byte, ignored;

    if (!find_packet(machine, acks != NULL ? acks : &ignored))
        return -1;
    while ((byte = next_byte(machine)) != '#') {
        sum += (unsigned)byte;
        if (byte == '$')
            fail(machine, "a '$' inside of a packet");
        if (byte == '*') {
            int count = next_byte(machine);
            sum += (unsigned)count;
            len += expand(machine, len, count);
        } else {
            machine->reply[len++] = (char)byte;
        }
        if (len >= FAKE_PACKET)
            fail(machine, "a packet too long to be one");
    }
    machine->reply[len] = '\0';
    check_sum(machine, sum);
    return (long)len;
}

size_t fake_unescape(char *data, size_t len)
{
    size_t to = 0;

    for (size_t from = 0; from < len; from++) {
        if (data[from] == '}' && from + 1 < len)
            data[to++] = (char)(data[++from] ^ 0x20);
        else
            data[to++] = data[from];
    }
    return to;
}

const char *fake_exchange(struct fake_machine *machine, const char *request)
{
    int acks;

    if (machine->output_taken == machine->output_length)
        machine->output_taken = machine->output_length = 0;
    fake_request(machine, request, strlen(request));
    if (fake_take_packet(machine, &acks) < 0)
        return "(none)";
    if (machine->output_taken != machine->output_length)
        fail(machine, "more than one reply");
    if (acks > 0)
        fake_receive(machine, "+", 1);
    return machine->reply;
}

void fake_attach(struct fake_machine *machine)
{
    fake_stop(machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
    fake_exchange(machine, "qSupported:multiprocess+;swbreak+;hwbreak+;error-message-;x=y");
    fake_exchange(machine, "QStartNoAckMode");
}
