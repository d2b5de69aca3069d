/*
 * test_gdbstub_step_over.c - every way over a breakpoint leaves it planted, whatever comes on the
 * way, with a GDB and without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "one_breakpoint.h"

/* ---- Over the breakpoint ---- */

static void over_it_others_are_held_and_then_go_on(void **state)
{
    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    expect_orders("rr");
    assert_int_equal(hit(), GDBSTUB_RESUME);
    expect_orders("sh");
    assert_false(is_planted());
    assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
    expect_orders("rr");
    assert_true(is_planted());
}

static void what_the_port_can_do_is_not_lifted(void **state)
{
    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    machine.executes = true;
    machine.resumes = 0;
    assert_int_equal(hit(), GDBSTUB_RESUME);
    assert_true(is_planted());
    assert_int_equal(fake_get(&machine, 1, FAKE_RIP), 0x1001);
    assert_int_equal(machine.resumes, 1); /* of the one thread */
    assert_int_equal(machine.executions, 1);
}

static void a_step_over_it_is_a_step(void **state)
{
    (void)state;
    for (int executes = 0; executes < 2; executes++) {
        prepare_running(";" FALSE, "vCont;s:p1.1");
        machine.executes = executes;
        if (hit() == GDBSTUB_RESUME)
            assert_int_equal(stepped(0x1001), GDBSTUB_WAIT);
        expect_stop("T0506", "10:0110000000000000;");
        assert_true(is_planted());
    }
}

static void a_range_goes_on_over_it(void **state)
{
    (void)state;
    for (int executes = 0; executes < 2; executes++) {
        prepare_running(";" FALSE, "vCont;r1000,1002:p1.1");
        machine.executes = executes;
        assert_int_equal(hit(), GDBSTUB_RESUME);
        if (!executes)
            assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
        expect_orders("sh");
        assert_true(is_planted());
        assert_int_equal(stepped(0x1002), GDBSTUB_WAIT);
        expect_stop("T0506", "10:0210000000000000;");
    }
}

/* What can come instead of the end of the step over a breakpoint. */
static void whatever_comes_on_the_way_over_finds_it_planted(void **state)
{
    static const struct {
        enum gdbstub_cause cause;
        enum gdbstub_signal signal;
        const char *stop;
    } rows[] = {
        {GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGSEGV, "T0b06"},
        {GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, "T0206"},
        {GDBSTUB_CAUSE_WATCH_WRITE, GDBSTUB_SIGTRAP, "T05watch:0;"},
        {GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, "T05swbreak:;"}, /* the program's own */
        {GDBSTUB_CAUSE_HW_BREAK, GDBSTUB_SIGTRAP, "T05hwbreak:;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        prepare_running(";" FALSE, "vCont;c");
        assert_int_equal(hit(), GDBSTUB_RESUME);
        assert_int_equal(trap(rows[i].cause, rows[i].signal), GDBSTUB_WAIT);
        expect_stop(rows[i].stop, "thread:p1.1;");
        assert_true(is_planted());
    }
}

static void an_execute_point_behind_it_is_not_skipped(void **state)
{
    (void)state;
    for (int executes = 0; executes < 2; executes++) {
        prepare();
        plant(";" FALSE);
        assert_string_equal(ask("Z1,1001,1"), "OK");
        request("vCont;c");
        machine.executes = executes;
        if (hit() == GDBSTUB_RESUME)
            assert_int_equal(stepped(0x1001), GDBSTUB_WAIT);
        expect_stop("T05hwbreak:;", "10:0110000000000000;");
    }
}

static void an_execute_point_has_a_condition_of_its_own(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(ask("Z1,1000,1;" IF_RAX), "OK");
    request("vCont;c");
    machine.resumes = 0;
    assert_int_equal(trap(GDBSTUB_CAUSE_HW_BREAK, GDBSTUB_SIGTRAP), GDBSTUB_RESUME);
    assert_int_equal(machine.resumes, 1);
    expect_orders("rr");
    fake_set(&machine, 1, FAKE_RAX, 1);
    assert_int_equal(trap(GDBSTUB_CAUSE_HW_BREAK, GDBSTUB_SIGTRAP), GDBSTUB_WAIT);
    expect_stop("T05hwbreak:;", "thread:p1.1;");
}

static void code_that_the_step_writes_is_kept(void **state)
{
    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    assert_int_equal(hit(), GDBSTUB_RESUME);
    *fake_byte(&machine, 0x1000) = 0x42;
    assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
    assert_true(is_planted());
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    hear();
    assert_string_equal(ask("m1000,1"), "42");
    ask("z0,1000,1");
    assert_int_equal(*fake_byte(&machine, 0x1000), 0x42);
}

/* The filter has found the condition false; another stop comes first, and GDB removes it. */
static void a_hit_whose_breakpoint_is_gone_goes_on(void **state)
{
    struct gdbstub_stop late = stop_of(GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP);

    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    assert_int_equal(gdbstub_filter(&machine.stub, &late), GDBSTUB_BREAK_IN);
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 2);
    hear();
    ask("z0,1000,1");
    request("vCont;c");
    assert_int_equal(gdbstub_stopped(&machine.stub, &late), GDBSTUB_RESUME);
    expect_orders("rr");
    expect_silence();
}

static void commands_run_once_for_a_hit_that_is_lifted(void **state)
{
    (void)state;
    prepare_running(";cmds:0," PRINT, "vCont;c");
    assert_int_equal(hit(), GDBSTUB_RESUME);
    assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
    assert_string_equal(machine.log, "hit\n");
}

static void ports_need_not_ask_the_filter(void **state)
{
    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 1),
                     GDBSTUB_RESUME);
    expect_orders("sh");
    fake_set(&machine, 1, FAKE_RIP, 0x1001);
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1), GDBSTUB_RESUME);
    expect_orders("rr");
    expect_silence();
}

static void a_thread_that_cannot_be_stepped_stops(void **state)
{
    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    machine.unsteppable = 1;
    assert_int_equal(hit(), GDBSTUB_WAIT);
    expect_stop("T05swbreak:;", "thread:p1.1;");
    assert_true(is_planted());
}

/* ---- Without a GDB ---- */

static void what_persists_prints_after_the_detach(void **state)
{
    (void)state;
    for (int executes = 0; executes < 2; executes++) {
        prepare();
        plant(";cmds:1," PRINT);
        assert_int_equal(request("D;1"), GDBSTUB_DETACH);
        hear();
        assert_true(is_planted());
        assert_false(gdbstub_attached(&machine.stub));
        assert_true(gdbstub_concerned(&machine.stub));
        machine.executes = executes;
        assert_int_equal(hit(), GDBSTUB_RESUME);
        if (!executes)
            assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
        expect_orders(executes ? "rh" : "rr");
        assert_true(is_planted());
        assert_string_equal(machine.log, "hit\n");
        expect_silence();
    }
}

static void nothing_else_is_left_by_a_detach(void **state)
{
    (void)state;
    prepare();
    plant(";" FALSE ";cmds:0," PRINT);
    ask("Z1,1010,1;" FALSE);
    request("D;1");
    assert_false(is_planted());
    assert_false(gdbstub_concerned(&machine.stub));
    assert_int_equal(hit(), GDBSTUB_WAIT);
}

static void nobody_stops_for_an_error_after_the_detach(void **state)
{
    (void)state;
    prepare();
    plant(";cmds:1," PRINT_NULL);
    request("D;1");
    machine.executes = true;
    assert_int_equal(hit(), GDBSTUB_RESUME);
    assert_non_null(strstr(machine.log, "no memory"));
}

static void other_traps_are_the_kernel_s_after_the_detach(void **state)
{
    (void)state;
    prepare();
    plant(";cmds:1," PRINT);
    request("D;1");
    assert_int_equal(trap(GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGSEGV), GDBSTUB_WAIT);
    assert_int_equal(hit(), GDBSTUB_RESUME);
    assert_false(is_planted());
    assert_int_equal(trap(GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGSEGV), GDBSTUB_WAIT);
    assert_true(is_planted());
}

static void a_new_session_begins_without_what_persisted(void **state)
{
    (void)state;
    prepare();
    plant(";cmds:1," PRINT);
    assert_string_equal(ask("D;1"), "OK");
    fake_attach(&machine);
    assert_false(is_planted());
    plant("");
    request("vCont;c");
    assert_int_equal(hit(), GDBSTUB_WAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_it_others_are_held_and_then_go_on),
        cmocka_unit_test(what_the_port_can_do_is_not_lifted),
        cmocka_unit_test(a_step_over_it_is_a_step),
        cmocka_unit_test(a_range_goes_on_over_it),
        cmocka_unit_test(whatever_comes_on_the_way_over_finds_it_planted),
        cmocka_unit_test(an_execute_point_behind_it_is_not_skipped),
        cmocka_unit_test(an_execute_point_has_a_condition_of_its_own),
        cmocka_unit_test(code_that_the_step_writes_is_kept),
        cmocka_unit_test(a_hit_whose_breakpoint_is_gone_goes_on),
        cmocka_unit_test(commands_run_once_for_a_hit_that_is_lifted),
        cmocka_unit_test(ports_need_not_ask_the_filter),
        cmocka_unit_test(a_thread_that_cannot_be_stepped_stops),
        cmocka_unit_test(what_persists_prints_after_the_detach),
        cmocka_unit_test(nothing_else_is_left_by_a_detach),
        cmocka_unit_test(nobody_stops_for_an_error_after_the_detach),
        cmocka_unit_test(other_traps_are_the_kernel_s_after_the_detach),
        cmocka_unit_test(a_new_session_begins_without_what_persisted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
