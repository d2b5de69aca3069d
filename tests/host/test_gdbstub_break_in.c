/*
 * test_gdbstub_break_in.c - what stops a running machine, and what does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    fake_set(&machine, 2, FAKE_RIP, 0x2000);
    fake_attach(&machine);
}

static void ctrl_c_breaks_in(void **state)
{
    (void)state;
    prepare();
    request("vCont;c");
    assert_int_equal(fake_receive(&machine, "\x03", 1), GDBSTUB_BREAK_IN);
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1), GDBSTUB_WAIT);
    expect_stop("T02", "thread:p1.1;");
}

/* GDB had not yet heard of the stop, and asks once only: resuming ends before it begins. */
static void ctrl_c_at_a_stopped_machine_ends_the_next_resume(void **state)
{
    static const char *const resumes[] = {"vCont;c", "vCont;s:p1.1", "c", "s", "vCont;r1000,2000"};

    (void)state;
    for (size_t i = 0; i < sizeof(resumes) / sizeof(resumes[0]); i++) {
        prepare();
        assert_int_equal(fake_receive(&machine, "\x03", 1), GDBSTUB_WAIT);
        expect_silence();
        assert_int_equal(request(resumes[i]), GDBSTUB_WAIT);
        expect_stop("T02", "thread:p1.1;");
        assert_int_equal(request(resumes[i]), GDBSTUB_RESUME); /* it was for one resume */
    }
}

static void ctrl_c_of_a_dead_gdb_is_not_for_the_next(void **state)
{
    (void)state;
    prepare();
    fake_receive(&machine, "\x03", 1);
    assert_string_not_equal(fake_exchange(&machine, "qSupported"), "(none)");
    assert_int_equal(request("vCont;c"), GDBSTUB_RESUME);
}

static void ctrl_c_of_nobody_is_nothing(void **state)
{
    (void)state;
    fake_init(&machine);
    assert_int_equal(fake_receive(&machine, "\x03\x03", 2), GDBSTUB_WAIT);
    prepare();
    ask("D");
    assert_int_equal(fake_receive(&machine, "\x03", 1), GDBSTUB_WAIT);
}

/* Noise that looks like the start of a packet does not swallow it. */
static void ctrl_c_is_heard_behind_noise(void **state)
{
    static const char *const noises[] = {"$", "$noi", "$n#", "$n#0", "#00", "\xff\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++) {
        prepare();
        request("vCont;c");
        assert_int_equal(fake_receive(&machine, noises[i], strlen(noises[i])), GDBSTUB_WAIT);
        assert_int_equal(fake_receive(&machine, "\x03", 1), GDBSTUB_BREAK_IN);
        fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
        expect_stop("T02", "");
        assert_string_equal(ask("qAttached"), "1");
    }
}

static void noise_does_not_stop_the_machine(void **state)
{
    static const char noise[] = "+-#00garbage\r\n\xff$half a packet$another#zz$qAttached#00+";

    (void)state;
    fake_init(&machine);
    assert_int_equal(fake_receive(&machine, noise, sizeof(noise) - 1), GDBSTUB_WAIT);
    prepare();
    request("vCont;c");
    assert_int_equal(fake_receive(&machine, noise, sizeof(noise) - 1), GDBSTUB_WAIT);
    assert_true(machine.stub.running);
    expect_silence();
}

/* A GDB that comes while the machine runs: its first request stops it and is answered then. */
static void a_request_breaks_in(void **state)
{
    (void)state;
    fake_init(&machine);
    fake_receive(&machine, "+", 1);
    assert_int_equal(request("qSupported:multiprocess+"), GDBSTUB_BREAK_IN);
    assert_int_equal(machine.output_length, 1); /* acknowledged at once, answered later */
    assert_int_equal(machine.output[0], '+');
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 2), GDBSTUB_WAIT);
    assert_memory_equal(hear(), "PacketSize=1000;", 16);
    expect_silence();
    fake_receive(&machine, "+", 1);
    assert_memory_equal(ask("?"), "T02", 3);
    assert_non_null(strstr(machine.reply, "thread:p1.2;"));
}

/* Bytes that come between the request and the stop do not harm it. */
static void a_held_request_is_not_lost(void **state)
{
    static const char *const between[] = {"\x03", "+", "$?#3f", "$qC#b4$", "xyz"};

    (void)state;
    for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
        fake_init(&machine);
        assert_int_equal(request("qAttached"), GDBSTUB_BREAK_IN);
        assert_int_equal(fake_receive(&machine, between[i], strlen(between[i])), GDBSTUB_BREAK_IN);
        fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
        assert_string_equal(hear(), "1");
        expect_silence();
    }
}

/* The client waits for a stop and asks something else: the stop first, then the answer. */
static void a_waiting_client_that_asks_hears_of_the_stop_first(void **state)
{
    (void)state;
    prepare();
    request("vCont;c");
    assert_int_equal(request("vCtrlC"), GDBSTUB_BREAK_IN);
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    assert_memory_equal(hear(), "T02", 3);
    assert_string_equal(hear(), "OK");
    expect_silence();
}

/* `?` asks for the very stop reply that is owed: one is enough. */
static void a_waiting_client_that_asks_why_hears_it_once(void **state)
{
    (void)state;
    prepare();
    request("vCont;c");
    assert_int_equal(request("?"), GDBSTUB_BREAK_IN);
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    expect_stop("T02", "thread:p1.1;");
}

/* A held request may resume, detach or kill. */
static void a_held_request_may_let_the_machine_go(void **state)
{
    static const struct {
        const char *request;
        enum gdbstub_event event;
    } rows[] = {
        {"c", GDBSTUB_RESUME},
        {"vCont;c", GDBSTUB_RESUME},
        {"D", GDBSTUB_DETACH},
        {"k", GDBSTUB_KILL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fake_init(&machine);
        assert_int_equal(request(rows[i].request), GDBSTUB_BREAK_IN);
        assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1),
                         rows[i].event);
    }
}

/* A request that breaks into a range ends it. */
static void a_request_breaks_into_a_range(void **state)
{
    (void)state;
    prepare();
    request("vCont;r1000,1010:p1.1");
    assert_int_equal(step_trap(1), GDBSTUB_RESUME);
    assert_int_equal(request("qSupported"), GDBSTUB_BREAK_IN);
    assert_int_equal(step_trap(1), GDBSTUB_WAIT);
    assert_memory_equal(hear(), "PacketSize=1000;", 16);
    expect_silence();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctrl_c_breaks_in),
        cmocka_unit_test(ctrl_c_at_a_stopped_machine_ends_the_next_resume),
        cmocka_unit_test(ctrl_c_of_a_dead_gdb_is_not_for_the_next),
        cmocka_unit_test(ctrl_c_of_nobody_is_nothing),
        cmocka_unit_test(ctrl_c_is_heard_behind_noise),
        cmocka_unit_test(noise_does_not_stop_the_machine),
        cmocka_unit_test(a_request_breaks_in),
        cmocka_unit_test(a_held_request_is_not_lost),
        cmocka_unit_test(a_waiting_client_that_asks_hears_of_the_stop_first),
        cmocka_unit_test(a_waiting_client_that_asks_why_hears_it_once),
        cmocka_unit_test(a_held_request_may_let_the_machine_go),
        cmocka_unit_test(a_request_breaks_into_a_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
