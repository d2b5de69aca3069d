/*
 * test_gdbstub_conditions.c - breakpoints with conditions and commands: GDB hears of those that are
 * to stop and of nothing else, and every way over a breakpoint leaves it planted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

#define TRUE   "X3,220127"
#define FALSE  "X3,220027"
/* rax */
#define IF_RAX "X4,26000027"
/* 1 / rax */
#define ONE_BY_RAX                                                                                 \
    "X7,220126000006"                                                                              \
    "27"
/* printf "hit\n" */
#define PRINT                                                                                      \
    "Xf,2200220034000006"                                                                          \
    "6869745c6e0027"
/* printf "%d\n" of what is at 0 */
#define PRINT_NULL                                                                                 \
    "Xf,22001a2200220034010003256400"                                                              \
    "27"

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    fake_set(&machine, 2, FAKE_RIP, 0x3000);
    fake_attach(&machine);
}

static void plant(const char *lists)
{
    char text[256];

    snprintf(text, sizeof(text), "Z0,1000,1%s", lists);
    assert_string_equal(ask(text), "OK");
}

static void prepare_running(const char *lists, const char *order)
{
    prepare();
    plant(lists);
    assert_int_equal(request(order), GDBSTUB_RESUME);
    expect_silence();
}

static struct gdbstub_stop stop_of(enum gdbstub_cause cause, enum gdbstub_signal signal)
{
    return (struct gdbstub_stop){.cause = cause, .signal = signal, .thread = 1};
}

/* The machine's trap handler: the filter first, then all stops. */
static enum gdbstub_event trap(enum gdbstub_cause cause, enum gdbstub_signal signal)
{
    struct gdbstub_stop stop = stop_of(cause, signal);
    enum gdbstub_event event = gdbstub_filter(&machine.stub, &stop);

    return event == GDBSTUB_BREAK_IN ? gdbstub_stopped(&machine.stub, &stop) : event;
}

static enum gdbstub_event hit(void)
{
    return trap(GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP);
}

static enum gdbstub_event stepped(uint64_t pc)
{
    fake_set(&machine, 1, FAKE_RIP, pc);
    return trap(GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP);
}

static void expect_orders(const char *letters)
{
    static const char names[] = "hsr";
    char got[] = {names[machine.resume[1].action], names[machine.resume[2].action], '\0'};

    assert_string_equal(got, letters);
}

static bool is_planted(void)
{
    return *fake_byte(&machine, 0x1000) == 0xcc;
}

/* ---- Which hits stop ---- */

static const struct {
    const char *lists;
    uint64_t rax;
    bool stops;
    const char *log;
} lists[] = {
    {"", 0, true, ""},
    {";" TRUE, 0, true, ""},
    {";" FALSE, 0, false, ""},
    {";" FALSE FALSE, 0, false, ""},
    {";" FALSE TRUE, 0, true, ""},
    {";" TRUE FALSE, 0, true, ""},
    {";" IF_RAX, 5, true, ""},
    {";" IF_RAX, 0, false, ""},
    {";cmds:0," PRINT, 0, false, "hit\n"},
    {";cmds:1," PRINT PRINT, 0, false, "hit\nhit\n"},
    {";" FALSE ";cmds:0," PRINT, 0, false, ""},
    {";" TRUE ";cmds:0," PRINT, 0, false, "hit\n"},
    {";" ONE_BY_RAX, 1, true, ""},
    {";" ONE_BY_RAX, 0, true, "Condition of the breakpoint at 0x1000: division by zero\n"},
    {";" ONE_BY_RAX ";cmds:0," PRINT, 0, true,
     "Condition of the breakpoint at 0x1000: division by zero\n"},
    {";cmds:0," PRINT_NULL, 0, true,
     "Command of the breakpoint at 0x1000: there is no memory to read at 0x0\n"},
};

static void only_what_is_true_or_fails_stops(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        prepare_running(lists[i].lists, "vCont;c");
        fake_set(&machine, 1, FAKE_RAX, lists[i].rax);
        enum gdbstub_event event = hit();
        if (event != (lists[i].stops ? GDBSTUB_WAIT : GDBSTUB_RESUME))
            fail_msg("\"%s\": event %d", lists[i].lists, event);
        if (strcmp(machine.log, lists[i].log) != 0)
            fail_msg("\"%s\": expected \"%s\", got \"%s\"", lists[i].lists, lists[i].log,
                     machine.log);
    }
}

static void a_false_condition_sends_nothing(void **state)
{
    (void)state;
    prepare_running(";" FALSE, "vCont;c");
    for (int i = 0; i < 100; i++) {
        fake_set(&machine, 1, FAKE_RIP, 0x1000);
        assert_int_equal(hit(), GDBSTUB_RESUME);
        assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
    }
    expect_silence();
}

static void a_true_condition_is_told_as_a_breakpoint(void **state)
{
    (void)state;
    prepare_running(";" TRUE, "vCont;c");
    assert_int_equal(hit(), GDBSTUB_WAIT);
    expect_stop("T05swbreak:;", "thread:p1.1;");
}

static void a_failing_condition_is_told_as_a_breakpoint_behind_the_reason(void **state)
{
    (void)state;
    prepare_running(";" ONE_BY_RAX, "vCont;c");
    assert_int_equal(hit(), GDBSTUB_WAIT);
    assert_int_equal(hear()[0], 'O');
    expect_stop("T05swbreak:;", "thread:p1.1;");
}

/* GDB would go on by itself from a breakpoint of its own that only prints. */
static void a_failing_command_is_told_as_an_interrupt(void **state)
{
    (void)state;
    prepare_running(";cmds:0," PRINT_NULL, "vCont;c");
    assert_int_equal(hit(), GDBSTUB_WAIT);
    assert_int_equal(hear()[0], 'O');
    expect_stop("T0206", "thread:p1.1;");
}

static void commands_print_to_gdb_and_to_the_log(void **state)
{
    (void)state;
    prepare_running(";cmds:0," PRINT, "vCont;c");
    assert_int_equal(hit(), GDBSTUB_RESUME);
    assert_string_equal(hear(), "O6869740a");
    expect_silence();
    assert_string_equal(machine.log, "hit\n");
}

/* ---- What is kept ---- */

static void the_last_lists_hold(void **state)
{
    (void)state;
    prepare();
    plant(";" FALSE);
    plant(";" TRUE ";cmds:0," PRINT);
    plant(";" IF_RAX);
    request("vCont;c");
    assert_int_equal(hit(), GDBSTUB_RESUME);
    assert_string_equal(machine.log, "");
    fake_set(&machine, 1, FAKE_RAX, 1);
    assert_int_equal(stepped(0x1001), GDBSTUB_RESUME);
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    assert_int_equal(hit(), GDBSTUB_WAIT);
}

static void a_refused_list_leaves_the_last_one(void **state)
{
    (void)state;
    prepare();
    plant(";" FALSE);
    assert_string_equal(ask("Z0,1000,1;X3,220128"), "E.it does not end with `end`");
    request("vCont;c");
    assert_int_equal(hit(), GDBSTUB_RESUME);
}

static void a_breakpoint_that_was_removed_has_no_condition(void **state)
{
    (void)state;
    prepare();
    plant(";" FALSE);
    ask("z0,1000,1");
    plant("");
    request("vCont;c");
    assert_int_equal(hit(), GDBSTUB_WAIT);
}

static void breakpoints_keep_their_own_lists(void **state)
{
    char text[64];

    (void)state;
    prepare();
    for (unsigned i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "Z0,%x,1;%s", 0x1000 + 16 * i, i % 2 ? TRUE : FALSE);
        assert_string_equal(ask(text), "OK");
    }
    for (unsigned i = 0; i < 50; i += 3) {
        snprintf(text, sizeof(text), "z0,%x,1", 0x1000 + 16 * i);
        assert_string_equal(ask(text), "OK");
    }
    for (unsigned i = 0; i < 50; i++) {
        if (i % 3 == 0)
            continue;
        request("vCont;c");
        fake_set(&machine, 1, FAKE_RIP, 0x1000 + 16 * i);
        machine.executes = true;
        assert_int_equal(hit(), i % 2 ? GDBSTUB_WAIT : GDBSTUB_RESUME);
        fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    }
}

static void the_room_for_lists_is_bounded(void **state)
{
    char text[64];
    unsigned i = 0;

    (void)state;
    prepare();
    do {
        snprintf(text, sizeof(text), "Z0,%x,1;" FALSE FALSE, 0x1000 + i++);
    } while (strcmp(ask(text), "OK") == 0);
    assert_string_equal(machine.reply, "E.out of room for conditions and commands");
    assert_true(i > 100);
    ask("z0,1000,1");
    assert_string_equal(ask(text), "OK");
}

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
        cmocka_unit_test(only_what_is_true_or_fails_stops),
        cmocka_unit_test(a_false_condition_sends_nothing),
        cmocka_unit_test(a_true_condition_is_told_as_a_breakpoint),
        cmocka_unit_test(a_failing_condition_is_told_as_a_breakpoint_behind_the_reason),
        cmocka_unit_test(a_failing_command_is_told_as_an_interrupt),
        cmocka_unit_test(commands_print_to_gdb_and_to_the_log),
        cmocka_unit_test(the_last_lists_hold),
        cmocka_unit_test(a_refused_list_leaves_the_last_one),
        cmocka_unit_test(a_breakpoint_that_was_removed_has_no_condition),
        cmocka_unit_test(breakpoints_keep_their_own_lists),
        cmocka_unit_test(the_room_for_lists_is_bounded),
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
