/*
 * test_gdbstub_resume.c - who runs, who steps, who stays, with which signal; ranges; threads.
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

/* What each action makes of the two threads: 'h'old, 's'tep, 'r'un, and the signal. */
static void actions_reach_the_threads(void **state)
{
    static const struct {
        const char *select; /* first */
        const char *request;
        const char *threads;
    } rows[] = {
        {"Hc-1", "vCont;c", "r0r0"},
        {"Hc-1", "vCont;c:p1.-1", "r0r0"},
        {"Hc-1", "vCont;c:p1", "r0r0"},
        {"Hc-1", "vCont;c:-1", "r0r0"},
        {"Hc-1", "vCont;s:p1.1", "s0h0"},
        {"Hc-1", "vCont;s:p1.2", "h0s0"},
        {"Hc-1", "vCont;s:2", "h0s0"},
        {"Hc-1", "vCont;s:p1.1;c", "s0r0"},
        {"Hc-1", "vCont;c;s:p1.1", "r0r0"}, /* the first that names a thread holds */
        {"Hc-1", "vCont;s:p1.2;c:p1.2", "h0s0"},
        {"Hc-1", "vCont;C0b:p1.2;c", "r0rb"},
        {"Hc-1", "vCont;S08:p1.1;c:p1.2", "s8r0"},
        {"Hc-1", "vCont;r10,20:p1.1;c", "s0r0"},
        {"Hg2", "vCont;s:0", "h0s0"}, /* any: the selected one */
        {"Hc-1", "c", "r0r0"},
        {"Hc0", "c", "r0r0"},
        {"Hc2", "c", "h0r0"},
        {"Hc-1", "s", "s0r0"},
        {"Hg2", "s", "r0s0"},
        {"Hc2", "s", "h0s0"},
        {"Hc-1", "C0b", "rbr0"},
        {"Hc2", "S08", "h0s8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char got[8];
        prepare();
        ask(rows[i].select);
        if (request(rows[i].request) != GDBSTUB_RESUME)
            fail_msg("%s: does not resume", rows[i].request);
        snprintf(got, sizeof(got), "%c%x%c%x", "hsr"[machine.resume[1].action],
                 machine.resume[1].signal, "hsr"[machine.resume[2].action],
                 machine.resume[2].signal);
        if (strcmp(got, rows[i].threads) != 0)
            fail_msg("%s: expected %s, got %s", rows[i].request, rows[i].threads, got);
        expect_silence();
    }
}

static void an_address_moves_the_pc(void **state)
{
    (void)state;
    prepare();
    assert_int_equal(request("c1234"), GDBSTUB_RESUME);
    assert_int_equal(fake_get(&machine, 1, FAKE_RIP), 0x1234);
    step_trap(1);
    hear();
    ask("Hc2");
    assert_int_equal(request("S05;5678"), GDBSTUB_RESUME);
    assert_int_equal(fake_get(&machine, 2, FAKE_RIP), 0x5678);
    assert_int_equal(fake_get(&machine, 1, FAKE_RIP), 0x1234);
}

/* Nothing resumes, GDB hears why, and the session goes on. */
static void what_cannot_be_done_is_refused(void **state)
{
    (void)state;
    prepare();
    machine.unsteppable = 2;
    assert_string_equal(ask("vCont;s:p1.2"), "E.not running on a CPU: cannot be stepped");
    assert_string_equal(ask("vCont;s:p1.7"), "E03");
    ask("Hc2");
    machine.dead_thread = 2;
    assert_string_equal(ask("c"), "E03");
    assert_string_equal(ask("qAttached"), "1");
    assert_int_equal(request("vCont;c"), GDBSTUB_RESUME);
}

/* ---- Ranges ---- */

static void a_range_is_stepped_without_a_word(void **state)
{
    (void)state;
    prepare();
    request("vCont;r1000,1010:p1.1");
    for (uint64_t pc = 0x1001; pc < 0x1010; pc++) {
        size_t resumes = machine.resumes;
        fake_set(&machine, 1, FAKE_RIP, pc);
        assert_int_equal(step_trap(1), GDBSTUB_RESUME);
        assert_int_equal(machine.resumes, resumes + 2); /* each thread has its orders again */
    }
    assert_int_equal(machine.resume[1].action, GDBSTUB_STEP);
    assert_int_equal(machine.resume[2].action, GDBSTUB_HOLD);
    expect_silence();
    fake_set(&machine, 1, FAKE_RIP, 0x1010);
    assert_int_equal(step_trap(1), GDBSTUB_WAIT);
    expect_stop("T05", "thread:p1.1;");
}

static void a_range_ends_below_its_start_too(void **state)
{
    (void)state;
    prepare();
    request("vCont;r1000,1010:p1.1");
    fake_set(&machine, 1, FAKE_RIP, 0xfff);
    assert_int_equal(step_trap(1), GDBSTUB_WAIT);
    expect_stop("T05", "thread:p1.1;");
}

static void an_empty_range_is_one_step(void **state)
{
    (void)state;
    prepare();
    request("vCont;r1000,1000:p1.1");
    assert_int_equal(step_trap(1), GDBSTUB_WAIT);
    expect_stop("T05", "thread:p1.1;");
}

/* Whatever else happens inside of a range is told. */
static void a_range_ends_with_any_other_stop(void **state)
{
    static const struct {
        enum gdbstub_cause cause;
        enum gdbstub_signal signal;
        gdbstub_thread thread;
        const char *reply;
    } stops[] = {
        {GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1, "T02"}, /* ^C */
        {GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGSEGV, 1, "T0b"},
        {GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 1, "T05swbreak:;"},
        {GDBSTUB_CAUSE_WATCH_WRITE, GDBSTUB_SIGTRAP, 1, "T05watch:3000;"},
        {GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 2, "T05swbreak:;"},
        {GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 2, "T05"}, /* it has no range */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
        prepare();
        fake_set(&machine, 2, FAKE_RIP, 0x1005);
        request("vCont;r1000,1010:p1.1;c");
        assert_int_equal(step_trap(1), GDBSTUB_RESUME);
        assert_int_equal(fake_stop(&machine, stops[i].cause, stops[i].signal, stops[i].thread),
                         GDBSTUB_WAIT);
        expect_stop(stops[i].reply, "thread:p1.");
        /* and the range is forgotten */
        request("vCont;s:p1.1");
        assert_int_equal(step_trap(1), GDBSTUB_WAIT);
        expect_stop("T05", "thread:p1.1;");
    }
}

/* A signal is passed once, not with each step. */
static void a_signal_is_passed_once(void **state)
{
    (void)state;
    prepare();
    request("vCont;r1000,1010:p1.1;C0b:p1.2");
    assert_int_equal(machine.resume[2].signal, GDBSTUB_SIGSEGV);
    step_trap(1);
    assert_int_equal(machine.resume[2].signal, GDBSTUB_SIGNAL_NONE);
    assert_int_equal(machine.resume[2].action, GDBSTUB_RUN);
}

/* The port refuses to step on: GDB hears of the stop there. */
static void a_range_that_cannot_go_on_stops(void **state)
{
    (void)state;
    prepare();
    request("vCont;r1000,1010:p1.1");
    machine.unsteppable = 1;
    assert_int_equal(step_trap(1), GDBSTUB_WAIT);
    expect_stop("T05", "thread:p1.1;");
}

/* Each fault comes with its signal, and the next resume may pass it on. */
static void signals_are_told_and_passed(void **state)
{
    static const enum gdbstub_signal signals[] = {GDBSTUB_SIGINT,  GDBSTUB_SIGILL, GDBSTUB_SIGTRAP,
                                                  GDBSTUB_SIGABRT, GDBSTUB_SIGFPE, GDBSTUB_SIGBUS,
                                                  GDBSTUB_SIGSEGV};
    char text[32];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        request("vCont;c");
        fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, signals[i], 2);
        snprintf(text, sizeof(text), "T%02x", signals[i]);
        expect_stop(text, "thread:p1.2;");
        snprintf(text, sizeof(text), "vCont;C%02x:p1.2;c", signals[i]);
        request(text);
        assert_int_equal(machine.resume[2].signal, signals[i]);
        assert_int_equal(machine.resume[1].signal, GDBSTUB_SIGNAL_NONE);
        step_trap(1);
        expect_stop("T05", "thread:p1.1;");
    }
}

/* ---- Threads ---- */

/* GDB assumes that the thread that stopped is the selected one. */
static void the_stopped_thread_is_selected(void **state)
{
    (void)state;
    prepare();
    ask("Hgp1.1");
    request("vCont;c");
    step_trap(2);
    hear();
    assert_string_equal(ask("qC"), "QCp1.2");
    assert_string_equal(ask("p10"), "0020000000000000");
}

/* Many threads: the list takes several packets, and none is missing. */
static void long_thread_lists_come_in_pages(void **state)
{
    unsigned expected = 1, pages = 0;

    (void)state;
    prepare();
    machine.threads = FAKE_MAX_THREADS;
    machine.dead_thread = 500;
    const char *page = ask("qfThreadInfo");
    while (page[0] == 'm') {
        unsigned thread;
        int used;
        pages++;
        for (page++; sscanf(page, "p1.%x%n", &thread, &used) == 1; page += page[0] == ',') {
            expected += expected == machine.dead_thread;
            assert_int_equal(thread, expected++);
            page += used;
        }
        assert_int_equal(page[0], '\0');
        page = ask("qsThreadInfo");
    }
    assert_string_equal(page, "l");
    assert_int_equal(expected, FAKE_MAX_THREADS + 1);
    assert_true(pages > 1);
    assert_memory_equal(ask("qfThreadInfo"), "mp1.1,p1.2,", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_reach_the_threads),
        cmocka_unit_test(an_address_moves_the_pc),
        cmocka_unit_test(what_cannot_be_done_is_refused),
        cmocka_unit_test(a_range_is_stepped_without_a_word),
        cmocka_unit_test(a_range_ends_below_its_start_too),
        cmocka_unit_test(an_empty_range_is_one_step),
        cmocka_unit_test(a_range_ends_with_any_other_stop),
        cmocka_unit_test(a_signal_is_passed_once),
        cmocka_unit_test(a_range_that_cannot_go_on_stops),
        cmocka_unit_test(signals_are_told_and_passed),
        cmocka_unit_test(the_stopped_thread_is_selected),
        cmocka_unit_test(long_thread_lists_come_in_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
