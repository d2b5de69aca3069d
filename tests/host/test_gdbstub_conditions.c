/*
 * test_gdbstub_conditions.c - breakpoints with conditions and commands: GDB hears of those that are
 * to stop and of nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "one_breakpoint.h"

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

static const struct {
    const char *request, *reply;
} requests[] = {
    {"Z0,1000,1;X3,220127", "OK"},
    {"Z0,1000,1;X1,27", "E.it leaves no value"},
    {"Z0,1000,1;cmds:1,X1,27", "OK"},
    {"Z0,1000,1;X3,220127X3,220027;cmds:0,X1,27X1,27", "OK"},
    {"Z0,1000,1;X3,2201", "E01"},
    {"Z0,1000,1;X3,22012", "E01"},
    {"Z0,1000,1;X3,2201277", "E01"},
    {"Z0,1000,1;X3,22g127", "E01"},
    {"Z0,1000,1;X3;220127", "E01"},
    {"Z0,1000,1;X,220127", "E01"},
    {"Z0,1000,1;X0,", "E.it does not end with `end`"},
    {"Z0,1000,1;", "E01"},
    {"Z0,1000,1;cmds:1,", "E01"},
    {"Z0,1000,1;cmds:X1,27", "E01"},
    {"Z0,1000,1;cmds:1X1,27", "E01"},
    {"Z0,1000,1X3,220127", "E01"},
    {"Z0,2000,1;X3,220127", "E14"},
    {"z0,1000,1;X3,220127", "E01"},
    {"Z1,1000,1;X3,220127", "OK"},
    {"Z2,1000,4;X3,220127", "E01"},
};

static void each_request_gets_its_reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        prepare();
        machine.absent[2] = true;
        const char *reply = ask(requests[i].request);
        if (strcmp(reply, requests[i].reply) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", requests[i].request, requests[i].reply,
                     reply);
    }
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_true_or_fails_stops),
        cmocka_unit_test(a_false_condition_sends_nothing),
        cmocka_unit_test(a_true_condition_is_told_as_a_breakpoint),
        cmocka_unit_test(a_failing_condition_is_told_as_a_breakpoint_behind_the_reason),
        cmocka_unit_test(a_failing_command_is_told_as_an_interrupt),
        cmocka_unit_test(commands_print_to_gdb_and_to_the_log),
        cmocka_unit_test(each_request_gets_its_reply),
        cmocka_unit_test(the_last_lists_hold),
        cmocka_unit_test(a_refused_list_leaves_the_last_one),
        cmocka_unit_test(a_breakpoint_that_was_removed_has_no_condition),
        cmocka_unit_test(breakpoints_keep_their_own_lists),
        cmocka_unit_test(the_room_for_lists_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
