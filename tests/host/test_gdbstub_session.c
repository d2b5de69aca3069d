/*
 * test_gdbstub_session.c - how sessions begin, die, are taken over and end; the console; a fault
 * inside the stub.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_port.h"

static struct fake_machine machine;

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1040);
    fake_attach(&machine);
}

static const char *ask(const char *request)
{
    return fake_exchange(&machine, request);
}

static enum gdbstub_event request(const char *text)
{
    return fake_request(&machine, text, strlen(text));
}

static const char *hear(void)
{
    return fake_take_packet(&machine, machine.reply, NULL) < 0 ? "(none)" : machine.reply;
}

/* What GDB 13.1 says when it attaches, in its order, and what it must hear. */
static void gdb_13_attaches(void **state)
{
    static const struct {
        const char *request;
        const char *reply; /* its start */
    } conversation[] = {
        {"qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+"
         ";exec-events+;vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+"
         ";xmlRegisters=i386",
         "PacketSize=1000;"},
        {"vMustReplyEmpty", ""},
        {"QStartNoAckMode", "OK"},
        {"Hgp0.0", "OK"},
        {"qXfer:features:read:target.xml:0,ffb", "l<?xml"},
        {"qTStatus", ""},
        {"?", "T02"},
        {"qfThreadInfo", "mp1.1,p1.2"},
        {"qsThreadInfo", "l"},
        {"qAttached:1", "1"},
        {"Hc-1", "OK"},
        {"qOffsets", ""},
        {"m1040,1", "00"},
        {"qSymbol::", "OK"},
        {"vCont?", "vCont;c;C;s;S;r"},
    };

    (void)state;
    fake_init(&machine);
    fake_receive(&machine, "+", 1);
    assert_int_equal(request(conversation[0].request), GDBSTUB_BREAK_IN);
    assert_false(gdbstub_attached(&machine.stub));
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    assert_memory_equal(hear(), conversation[0].reply, strlen(conversation[0].reply));
    fake_receive(&machine, "+", 1);
    assert_true(gdbstub_attached(&machine.stub));
    for (size_t i = 1; i < sizeof(conversation) / sizeof(conversation[0]); i++) {
        const char *reply = ask(conversation[i].request);
        size_t len = strlen(conversation[i].reply);
        if (strncmp(reply, conversation[i].reply, len) != 0 || (len == 0) != (reply[0] == '\0'))
            fail_msg("%s: expected \"%s\", got \"%s\"", conversation[i].request,
                     conversation[i].reply, reply);
    }
    assert_int_equal(request("vCont;c:p1.-1"), GDBSTUB_RESUME);
}

/* GDB is gone without a word, in every state it can leave: the next one finds a clean stub. */
static void a_new_gdb_takes_over_from_a_dead_one(void **state)
{
    static const char *const last_words[] = {
        "",                /* killed at the prompt */
        "$vCont;c#a8",     /* while the machine ran */
        "$m1000",          /* in the middle of a request */
        "$m1000,4#",       /* in its checksum */
        "$vCont;c#a8\x03", /* before the machine stopped for it */
        "$vCont;r1000,2000:p1.1#cf",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(last_words) / sizeof(last_words[0]); i++) {
        prepare();
        ask("Hc2");
        ask("Hg2");
        ask("Z0,1050,1");
        ask("Z2,3000,4");
        fake_receive(&machine, last_words[i], strlen(last_words[i]));
        while (fake_take_packet(&machine, machine.reply, NULL) >= 0)
            ;
        size_t before = machine.output_length;
        fake_receive(&machine, "+", 1);
        if (request("qSupported:swbreak+") == GDBSTUB_BREAK_IN)
            fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
        assert_int_equal(machine.output[before], '+'); /* acknowledged, as a new GDB expects */
        assert_memory_equal(hear(), "PacketSize=1000;", 16);
        assert_string_equal(hear(), "(none)"); /* no stop reply: it knows of no resume */
        fake_receive(&machine, "+", 1);
        assert_int_equal(machine.memory[0x1050], 0);
        assert_false(machine.points[0].used);
        assert_false(machine.stub.no_ack);
        assert_string_equal(ask("qC"), "QC1");
        assert_int_equal(request("c"), GDBSTUB_RESUME);
        assert_int_equal(machine.resume[1].action, GDBSTUB_RUN);
        assert_int_equal(machine.resume[2].action, GDBSTUB_RUN);
    }
}

/* A breakpoint of a dead GDB is hit; the machine waits for the next one, at the right pc. */
static void a_breakpoint_of_a_dead_gdb_is_no_trap_for_the_next(void **state)
{
    (void)state;
    prepare();
    machine.memory[0x1040] = 0x55;
    ask("Z0,1040,1");
    request("vCont;c");
    fake_stop(&machine, GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 1);
    hear();
    ask("qSupported:swbreak+");
    assert_memory_equal(ask("?"), "T05swbreak:;", 12);
    assert_string_equal(ask("p10"), "4010000000000000");
    assert_string_equal(ask("m1040,1"), "55");
    assert_int_equal(machine.memory[0x1040], 0x55);
}

/* `?` is no new session. */
static void asking_why_keeps_breakpoints(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1050,1");
    assert_memory_equal(ask("?"), "T05", 3);
    assert_memory_equal(ask("?"), "T05", 3);
    assert_int_equal(machine.memory[0x1050], 0xcc);
}

static void detach_lets_the_machine_go(void **state)
{
    (void)state;
    prepare();
    assert_int_equal(request("D;1"), GDBSTUB_DETACH);
    assert_string_equal(hear(), "OK");
    assert_false(gdbstub_attached(&machine.stub));
    /* a stop that the kernel makes for itself is nobody's business */
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1), GDBSTUB_WAIT);
    assert_string_equal(hear(), "(none)");
    fake_attach(&machine);
    assert_true(gdbstub_attached(&machine.stub));
}

static void kill_ends_the_session(void **state)
{
    (void)state;
    prepare();
    assert_int_equal(request("k"), GDBSTUB_KILL);
    assert_string_equal(hear(), "(none)");
    assert_false(gdbstub_attached(&machine.stub));
    prepare();
    assert_int_equal(request("vKill;1"), GDBSTUB_KILL);
    assert_string_equal(hear(), "OK");
    assert_false(gdbstub_attached(&machine.stub));
}

/* A client that sends no qSupported is one too. */
static void any_request_attaches(void **state)
{
    (void)state;
    fake_init(&machine);
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
    assert_false(gdbstub_attached(&machine.stub));
    ask("?");
    assert_true(gdbstub_attached(&machine.stub));
}

/* Two sessions in one program share nothing. */
static void sessions_are_independent(void **state)
{
    static struct fake_machine other;

    (void)state;
    prepare();
    fake_init(&other);
    fake_attach(&other);
    ask("Z0,1050,1");
    assert_false(gdbstub_planted(&other.stub, 0x1050));
    request("c");
    assert_string_equal(fake_exchange(&other, "qAttached"), "1");
}

/* ---- The end of the program ---- */

static void an_exit_is_told(void **state)
{
    (void)state;
    prepare();
    request("vCont;c");
    assert_true(gdbstub_exited(&machine.stub, 42));
    assert_string_equal(hear(), "W2a;process:1");
    assert_false(gdbstub_attached(&machine.stub)); /* no-ack mode: nothing to wait for */
}

static void an_exit_is_acknowledged(void **state)
{
    (void)state;
    fake_init(&machine);
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
    ask("qSupported");
    request("c");
    assert_true(gdbstub_exited(&machine.stub, 0));
    assert_string_equal(hear(), "W00");
    assert_true(gdbstub_attached(&machine.stub));
    assert_int_equal(fake_receive(&machine, "\x03x", 2), GDBSTUB_WAIT);
    fake_receive(&machine, "-", 1);
    assert_string_equal(hear(), "W00");
    assert_true(gdbstub_attached(&machine.stub));
    fake_receive(&machine, "+", 1);
    assert_false(gdbstub_attached(&machine.stub));
}

static void an_exit_leaves_nothing_planted(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1050,1");
    ask("Z2,3000,4");
    request("vCont;c");
    gdbstub_exited(&machine.stub, 0);
    assert_int_equal(machine.memory[0x1050], 0);
    assert_false(machine.points[0].used);
}

static void an_exit_is_nobodys_business_without_a_gdb(void **state)
{
    (void)state;
    fake_init(&machine);
    assert_false(gdbstub_exited(&machine.stub, 0));
    prepare();
    ask("D");
    assert_false(gdbstub_exited(&machine.stub, 0));
    assert_string_equal(hear(), "(none)");
}

/* ---- The console ---- */

/* Collect O packets; the first that is none is left in machine.reply.  Returns how many. */
static unsigned collect_console(char *text, size_t size)
{
    unsigned packets = 0;
    size_t len = 0;

    while (hear()[0] == 'O' && strcmp(machine.reply, "OK") != 0) {
        packets++;
        for (const char *hex = machine.reply + 1; *hex != '\0'; hex += 2) {
            char digits[3] = {hex[0], hex[1], '\0'};
            assert_true(len + 1 < size);
            text[len++] = (char)strtoul(digits, NULL, 16);
        }
    }
    text[len] = '\0';
    return packets;
}

static void text_is_printed_while_the_machine_runs(void **state)
{
    char text[8000], got[8000];

    (void)state;
    prepare();
    request("vCont;c");
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    static const size_t lengths[] = {1, 2047, 2048, 5000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        assert_true(gdbstub_print(&machine.stub, text, lengths[i]));
        assert_int_equal(collect_console(got, sizeof(got)), (lengths[i] + 2046) / 2047);
        assert_int_equal(strlen(got), lengths[i]);
        assert_memory_equal(got, text, lengths[i]);
    }
    assert_true(gdbstub_print(&machine.stub, text, 0));
    assert_string_equal(hear(), "(none)");
}

static void text_is_not_printed_when_nobody_listens(void **state)
{
    (void)state;
    fake_init(&machine);
    assert_false(gdbstub_print(&machine.stub, "x", 1));
    prepare();
    assert_false(gdbstub_print(&machine.stub, "x", 1)); /* stopped */
    request("vCont;c");
    request("qSupported"); /* a new client waits for its answer */
    assert_false(gdbstub_print(&machine.stub, "x", 1));
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    hear();
    assert_string_equal(hear(), "(none)");
}

static void monitor_commands_print(void **state)
{
    char text[8000];

    (void)state;
    prepare();
    request("qRcmd,68656c6c6f"); /* hello */
    assert_int_equal(collect_console(text, sizeof(text)), 1);
    assert_string_equal(text, "hello there\n");
    assert_string_equal(machine.reply, "OK");
    request("qRcmd,6d616e79"); /* many: 3500 characters in pieces of 7 */
    assert_int_equal(collect_console(text, sizeof(text)), 2);
    assert_int_equal(strlen(text), 3500);
    assert_string_equal(machine.reply, "OK");
    assert_string_equal(hear(), "(none)");
}

/* The longest command there can be is terminated inside of the buffer. */
static void a_long_monitor_command_is_taken(void **state)
{
    char text[GDBSTUB_PACKET_SIZE + 1];

    (void)state;
    prepare();
    memset(text, '6', GDBSTUB_PACKET_SIZE);
    memcpy(text, "qRcmd,", 6);
    fake_request(&machine, text, GDBSTUB_PACKET_SIZE);
    assert_string_equal(hear(), "");
}

/* ---- A fault inside ---- */

static jmp_buf unwound;
static bool faulty;
static size_t (*real_read_memory)(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                                  size_t len);
static bool (*real_read_register)(void *ctx, gdbstub_thread thread, size_t reg, void *value);

static size_t read_memory_with_fault(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                                     size_t len)
{
    if (faulty && addr == 0x1100)
        longjmp(unwound, 1);
    return real_read_memory(ctx, thread, addr, buf, len);
}

static bool read_register_with_fault(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    if (faulty)
        longjmp(unwound, 1);
    return real_read_register(ctx, thread, reg, value);
}

static void prepare_faults(void)
{
    prepare();
    real_read_memory = machine.port.read_memory;
    real_read_register = machine.port.read_register;
    machine.port.read_memory = read_memory_with_fault;
    machine.port.read_register = read_register_with_fault;
    faulty = true;
}

/* A part of the reply was written already: it is dropped, and the session goes on. */
static void a_fault_is_the_answer(void **state)
{
    (void)state;
    prepare_faults();
    if (setjmp(unwound) == 0)
        request("m1000,200");
    else
        gdbstub_abandon(&machine.stub, "page fault at $0x1100#");
    assert_string_equal(hear(), "E.page fault at _0x1100_");
    gdbstub_abandon(&machine.stub, "again");
    assert_string_equal(hear(), "(none)");
    faulty = false;
    assert_int_equal(strlen(ask("m1000,200")), 0x400);
}

/* Also where GDB waits for a stop reply, which GDB takes as a stop. */
static void a_fault_in_a_stop_reply_is_the_answer(void **state)
{
    static const char *const resumes[] = {"vCont;c", "vCont;r1000,2000:p1.1"};

    (void)state;
    for (size_t i = 0; i < sizeof(resumes) / sizeof(resumes[0]); i++) {
        prepare_faults();
        request(resumes[i]);
        if (setjmp(unwound) == 0)
            fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
        else
            gdbstub_abandon(&machine.stub, "page fault");
        assert_string_equal(hear(), "E.page fault");
        faulty = false;
        assert_memory_equal(ask("?"), "T05", 3);
    }
}

static void nothing_to_abandon_is_nothing(void **state)
{
    (void)state;
    prepare();
    gdbstub_abandon(&machine.stub, "x");
    request("vCont;c");
    gdbstub_abandon(&machine.stub, "x");
    assert_true(machine.stub.running);
    assert_string_equal(hear(), "(none)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gdb_13_attaches),
        cmocka_unit_test(a_new_gdb_takes_over_from_a_dead_one),
        cmocka_unit_test(a_breakpoint_of_a_dead_gdb_is_no_trap_for_the_next),
        cmocka_unit_test(asking_why_keeps_breakpoints),
        cmocka_unit_test(detach_lets_the_machine_go),
        cmocka_unit_test(kill_ends_the_session),
        cmocka_unit_test(any_request_attaches),
        cmocka_unit_test(sessions_are_independent),
        cmocka_unit_test(an_exit_is_told),
        cmocka_unit_test(an_exit_is_acknowledged),
        cmocka_unit_test(an_exit_leaves_nothing_planted),
        cmocka_unit_test(an_exit_is_nobodys_business_without_a_gdb),
        cmocka_unit_test(text_is_printed_while_the_machine_runs),
        cmocka_unit_test(text_is_not_printed_when_nobody_listens),
        cmocka_unit_test(monitor_commands_print),
        cmocka_unit_test(a_long_monitor_command_is_taken),
        cmocka_unit_test(a_fault_is_the_answer),
        cmocka_unit_test(a_fault_in_a_stop_reply_is_the_answer),
        cmocka_unit_test(nothing_to_abandon_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
