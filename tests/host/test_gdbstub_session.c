/*
 * test_gdbstub_session.c - how sessions begin, die, are taken over and end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1040);
    fake_attach(&machine);
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
        {"qXfer:features:read:target.xml:0,ffb", "l<!DOCTYPE"},
        {"qTStatus", ""},
        {"?", "T02"},
        {"qXfer:threads:read::0,1000", "l<threads>"},
        {"qAttached:1", "1"},
        {"Hc-1", "OK"},
        {"qOffsets", "Text=0;Data=0;Bss=0"},
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
    static const struct {
        const char *bytes;
        bool running; /* that is how they leave the machine */
    } last_words[] = {
        {"", false},               /* killed at the prompt */
        {"$vCont;c#a8", true},     /* while the machine ran */
        {"$m1000", false},         /* in the middle of a request */
        {"$m1000,4#", false},      /* in its checksum */
        {"$vCont;c#a8\x03", true}, /* before the machine stopped for it */
        {"$vCont;r1000,2000:p1.1#a0", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(last_words) / sizeof(last_words[0]); i++) {
        prepare();
        ask("Hc2");
        ask("Hg2");
        ask("Z0,1050,1");
        ask("Z2,3000,4");
        fake_receive(&machine, last_words[i].bytes, strlen(last_words[i].bytes));
        assert_int_equal(machine.stub.running, last_words[i].running);
        while (fake_take_packet(&machine, NULL) >= 0)
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

static void a_fatal_signal_is_told(void **state)
{
    (void)state;
    prepare();
    request("vCont;c");
    assert_true(gdbstub_killed(&machine.stub, GDBSTUB_SIGSEGV));
    assert_string_equal(hear(), "X0b;process:1");
    assert_false(gdbstub_attached(&machine.stub));
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
        cmocka_unit_test(a_fatal_signal_is_told),
        cmocka_unit_test(an_exit_is_acknowledged),
        cmocka_unit_test(an_exit_leaves_nothing_planted),
        cmocka_unit_test(an_exit_is_nobodys_business_without_a_gdb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
