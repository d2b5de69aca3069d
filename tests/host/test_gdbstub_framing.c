/*
 * test_gdbstub_framing.c - the wire: checksums, acknowledgements, repetition, noise, run lengths,
 * packets that are too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_client.h"

static struct fake_machine machine;

/* A stopped machine and a client that acknowledges. */
static void prepare(void)
{
    fake_init(&machine);
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
}

static void forget_output(void)
{
    machine.output_length = machine.output_taken = 0;
}

/* Push a string; what comes back must be exactly that. */
static void expect(const char *sent, const char *wanted)
{
    forget_output();
    fake_receive(&machine, sent, strlen(sent));
    machine.output[machine.output_length] = '\0';
    if (strcmp((const char *)machine.output, wanted) != 0)
        fail_msg("%s: expected \"%s\", got \"%s\"", sent, wanted, (const char *)machine.output);
}

static void wire_bytes_are_exact(void **state)
{
    (void)state;
    prepare();
    expect("$qAttached#8f", "+$1#31");
    expect("$vMustReplyEmpty#3a", "+$#00");
    expect("$QStartNoAckMode#b0", "+$OK#9a");
    expect("$qAttached#8f", "$1#31");
    expect("$qAttached#8F", "$1#31");
}

static void damaged_packets_are_refused(void **state)
{
    (void)state;
    prepare();
    expect("$qAttached#8e", "-");
    expect("$qAttached#zz", "-");
    expect("$qAttached#8x", "-");
    expect("$qAttached#x8", "-");
    expect("$\x04\x04#x8", "-"); /* the sum is 08 */
    expect("$\x40\x40#8x", "-");
    expect("$qAttached#8f", "+$1#31");
}

static void damaged_packets_are_dropped_without_acknowledgements(void **state)
{
    (void)state;
    prepare();
    expect("$QStartNoAckMode#b0", "+$OK#9a");
    expect("$qAttached#8e", "");
    expect("$qAttached#zz", "");
    expect("$qAttached#8f", "$1#31");
}

/* The end of a packet was lost: it ends where the next begins. */
static void a_dollar_begins_anew(void **state)
{
    static const char *const cut[] = {"$", "$$", "$qAtt", "$qAttached#", "$qAttached#8", "$#"};
    char sent[64];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        snprintf(sent, sizeof(sent), "%s$qAttached#8f", cut[i]);
        expect(sent, "+$1#31");
    }
}

static void noise_between_packets_is_ignored(void **state)
{
    (void)state;
    prepare();
    expect("\r\nhello\xff#00\x03}*", "");
    expect("+++", "");
    expect("$qAttached#8f", "+$1#31");
}

static void a_reply_is_repeated_until_acknowledged(void **state)
{
    (void)state;
    prepare();
    expect("$qAttached#8f", "+$1#31");
    expect("-", "$1#31");
    expect("-", "$1#31");
    expect("+", "");
    expect("-", "");
    /* Two replies, the first of which was never acknowledged: who asks again needs it no more. */
    expect("$qAttached#8f", "+$1#31");
    expect("$vMustReplyEmpty#3a", "+$#00");
    expect("+", "");
    expect("-", "");
}

static void a_line_that_babbles_has_no_reply_repeated_for_ever(void **state)
{
    (void)state;
    prepare();
    expect("$qAttached#8f", "+$1#31");
    expect("--------", "$1#31$1#31$1#31$1#31$1#31$1#31$1#31$1#31");
    expect("----", "");
    expect("$qAttached#8f", "+$1#31");
    expect("-", "$1#31");
}

/* The OK that begins no-ack mode is the last reply that is acknowledged, so it can be repeated. */
static void the_last_acknowledged_reply_can_be_repeated(void **state)
{
    (void)state;
    prepare();
    expect("$QStartNoAckMode#b0", "+$OK#9a");
    expect("-", "$OK#9a");
    expect("+", "");
    expect("-", "");
    expect("$qAttached#8f", "$1#31");
    expect("-", "");
}

/* LLDB's first request, to a stub that a GDB has left without acknowledgements. */
static void whoever_asks_for_no_ack_mode_is_acknowledged(void **state)
{
    (void)state;
    prepare();
    expect("$QStartNoAckMode#b0", "+$OK#9a");
    expect("+$qAttached#8f", "$1#31");
    expect("$QStartNoAckMode#b0", "+$OK#9a");
    expect("+$qAttached#8f", "$1#31");
}

static void a_stop_reply_is_repeated_too(void **state)
{
    (void)state;
    prepare();
    expect("$c#63", "+");
    forget_output();
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
    size_t len = machine.output_length;
    fake_receive(&machine, "-", 1);
    assert_int_equal(machine.output_length, 2 * len);
    assert_memory_equal(machine.output, machine.output + len, len);
}

/* The longest packet that is announced is taken; one byte more is an error, and does nothing. */
static void oversize_packets_are_consumed_and_refused(void **state)
{
    static char request[3 * GDBSTUB_PACKET_SIZE];

    (void)state;
    prepare();
    for (int extra = -1; extra <= 1; extra++) {
        size_t len = (size_t)(GDBSTUB_PACKET_SIZE + extra);
        int header = snprintf(request, sizeof(request), "M1000,%zx:", (len - 7 - 4) / 2);
        memset(request + header, '5', len - (size_t)header);
        len -= (len - (size_t)header) % 2;
        snprintf(request, sizeof(request), "M1000,%zx:", (len - (size_t)header) / 2);
        request[header] = '5';
        memset(machine.memory, 0, sizeof(machine.memory));
        fake_request(&machine, request, len);
        fake_take_packet(&machine, NULL);
        fake_receive(&machine, "+", 1);
        assert_string_equal(machine.reply, len > GDBSTUB_PACKET_SIZE ? "E07" : "OK");
        assert_int_equal(machine.memory[FAKE_PAGE], len > GDBSTUB_PACKET_SIZE ? 0 : 0x55);
    }
    memset(request, 'm', sizeof(request));
    fake_request(&machine, request, sizeof(request));
    fake_take_packet(&machine, NULL);
    assert_string_equal(machine.reply, "E07");
    fake_receive(&machine, "+", 1);
    assert_string_equal(fake_exchange(&machine, "qAttached"), "1");
}

/* A handler must not see the first part of a long packet as a packet. */
static void an_oversize_packet_is_not_executed(void **state)
{
    static char request[GDBSTUB_PACKET_SIZE + 1];

    (void)state;
    prepare();
    memset(request, '0', sizeof(request));
    memcpy(request, "k", 1);
    assert_int_equal(fake_request(&machine, request, sizeof(request)), GDBSTUB_WAIT);
    assert_true(gdbstub_attached(&machine.stub));
}

/* Runs of each length, of each kind of character: what the decoder makes of them is what memory
 * holds, and the decoder objects to any count that looks like framing. */
static void run_lengths_round_trip(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x11, 0xff, 0xab, '#', '$', '}', '*', ' ', 0x03, ']'};
    char request[32];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(bytes); i++) {
        for (unsigned len = 1; len <= 300; len++) {
            memset(machine.memory + FAKE_PAGE, bytes[i] ^ 0x55, FAKE_PAGE);
            memset(machine.memory + FAKE_PAGE + 8, bytes[i], len);
            snprintf(request, sizeof(request), "m1000,%x", len + 16);
            fake_exchange(&machine, request);
            assert_int_equal(strlen(machine.reply), 2 * (len + 16));
            for (unsigned at = 0; at < len + 16; at++) {
                char digits[3] = {machine.reply[2 * at], machine.reply[2 * at + 1], '\0'};
                assert_int_equal(strtoul(digits, NULL, 16), machine.memory[FAKE_PAGE + at]);
            }
        }
    }
}

static void binary_round_trips(void **state)
{
    char request[32];

    (void)state;
    prepare();
    fake_exchange(&machine, "qSupported:swbreak+"); /* as a client that has x */
    srand(1);
    for (unsigned turn = 0; turn < 2000; turn++) {
        unsigned len = 1 + (unsigned)rand() % 600;
        for (unsigned i = 0; i < len; i++)
            machine.memory[FAKE_PAGE + i] = (uint8_t)(turn % 2 ? rand() : "#$}*\x03]"[rand() % 6]);
        for (unsigned i = 1; i < len; i++) {
            if (rand() % 4 != 0)
                machine.memory[FAKE_PAGE + i] = machine.memory[FAKE_PAGE + i - 1];
        }
        forget_output();
        snprintf(request, sizeof(request), "x1000,%x", len);
        fake_request(&machine, request, strlen(request));
        long got = fake_take_packet(&machine, NULL);
        fake_receive(&machine, "+", 1);
        assert_true(got > 0);
        assert_int_equal(machine.reply[0], 'b');
        assert_int_equal(fake_unescape(machine.reply + 1, (size_t)got - 1), len);
        assert_memory_equal(machine.reply + 1, machine.memory + FAKE_PAGE, len);
    }
}

/* On the wire, exactly: counts that would be '#', '$', '+' or '-' are split. */
static void run_lengths_are_spelled_right(void **state)
{
    static const struct {
        uint8_t first; /* and then zeros */
        unsigned len;
        const char *wire;
    } runs[] = {
        {0x00, 1, "00"},      {0x00, 2, "0* "},    {0x00, 3, "0*\""},  {0x10, 4, "10*\"0"},
        {0x00, 4, "0*\"00"},  {0x00, 5, "0*&"},    {0x10, 8, "10**0"}, {0x00, 8, "0*,"},
        {0x10, 9, "10*,0"},   {0x00, 9, "0*."},    {0x00, 49, "0*~"},  {0x00, 50, "0*~00"},
        {0x00, 98, "0*~0*~"}, {0x12, 4, "120*\""},
    };
    char request[32], wanted[64];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        machine.memory[FAKE_PAGE] = runs[i].first;
        forget_output();
        snprintf(request, sizeof(request), "m1000,%x", runs[i].len);
        fake_request(&machine, request, strlen(request));
        fake_receive(&machine, "+", 1);
        machine.output[machine.output_length - 2] = '\0';
        snprintf(wanted, sizeof(wanted), "+$%s#", runs[i].wire);
        assert_string_equal((char *)machine.output, wanted);
    }
}

/* Random bytes, most of them from the alphabet of the protocol: whatever happens, a request
 * afterwards is answered, without a reset. */
static void garbage_never_needs_a_reset(void **state)
{
    static const char alphabet[] = "$$##+-}*0123456789abcdefgGmMxXzZcCsSpPHTqQvk,;:?.\x03";

    (void)state;
    prepare();
    srand(7);
    for (unsigned turn = 0; turn < 20000; turn++) {
        for (int i = rand() % 40; i > 0; i--) {
            uint8_t byte = rand() % 8 == 0
                               ? (uint8_t)rand()
                               : (uint8_t)alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
            gdbstub_receive(&machine.stub, byte);
        }
        forget_output();
        if (fake_request(&machine, "qSupported", 10) == GDBSTUB_BREAK_IN)
            fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
        int acks;
        assert_true(fake_take_packet(&machine, &acks) > 0);
        assert_int_equal(acks, 1);
        assert_memory_equal(machine.reply, "PacketSize=", 11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_bytes_are_exact),
        cmocka_unit_test(damaged_packets_are_refused),
        cmocka_unit_test(damaged_packets_are_dropped_without_acknowledgements),
        cmocka_unit_test(a_dollar_begins_anew),
        cmocka_unit_test(noise_between_packets_is_ignored),
        cmocka_unit_test(a_reply_is_repeated_until_acknowledged),
        cmocka_unit_test(a_line_that_babbles_has_no_reply_repeated_for_ever),
        cmocka_unit_test(the_last_acknowledged_reply_can_be_repeated),
        cmocka_unit_test(whoever_asks_for_no_ack_mode_is_acknowledged),
        cmocka_unit_test(a_stop_reply_is_repeated_too),
        cmocka_unit_test(oversize_packets_are_consumed_and_refused),
        cmocka_unit_test(an_oversize_packet_is_not_executed),
        cmocka_unit_test(run_lengths_round_trip),
        cmocka_unit_test(binary_round_trips),
        cmocka_unit_test(run_lengths_are_spelled_right),
        cmocka_unit_test(garbage_never_needs_a_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
