/*
 * test_gdbstub_passes.c - what a CPU may get over without the machine: a condition that is false
 * and nothing else, with a context of its own, and not a byte of the session changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "one_breakpoint.h"

/* printf "hit\n", and 0: GDB makes no such condition */
#define PRINT_AND_FALSE                                                                            \
    "X11,2200220034000006"                                                                         \
    "6869745c6e00220027"

static struct gdbstub before;
static struct fake_machine here; /* as another CPU sees it */

static bool passes(void)
{
    memcpy(&before, &machine.stub, sizeof(before));
    bool passed = gdbstub_passes(&machine.stub, &here, 1, 0x1000);
    assert_memory_equal(&before, &machine.stub, sizeof(before));
    expect_silence();
    return passed;
}

static void prepare_here(const char *lists, const char *order)
{
    prepare_running(lists, order);
    memcpy(&here, &machine, sizeof(here));
    here.executes = true;
    here.executions = machine.executions = 0;
}

static void a_false_condition_passes_and_its_instruction_is_done(void **state)
{
    (void)state;
    prepare_here(";" FALSE, "vCont;c");
    assert_true(passes());
    assert_int_equal(here.executions, 1);
    assert_int_equal(fake_get(&here, 1, FAKE_RIP), 0x1001);
    assert_int_equal(machine.executions, 0);
    assert_int_equal(fake_get(&machine, 1, FAKE_RIP), 0x1000);
    assert_true(is_planted());
}

static void registers_and_memory_are_those_of_the_context(void **state)
{
    (void)state;
    prepare_here(";" IF_RAX, "vCont;c");
    fake_set(&machine, 1, FAKE_RAX, 1);
    assert_true(passes());
    fake_set(&here, 1, FAKE_RAX, 1);
    assert_false(passes());
}

static void all_conditions_must_be_false(void **state)
{
    (void)state;
    prepare_here(";" FALSE FALSE, "vCont;c");
    assert_true(passes());
    prepare_here(";" FALSE TRUE, "vCont;c");
    assert_false(passes());
}

/* What there is to say, or to stop, or to lift, is not done here. */
static void whatever_else_is_left_alone(void **state)
{
    static const struct {
        const char *lists, *order;
    } rows[] = {
        {"", "vCont;c"},
        {";" TRUE, "vCont;c"},
        {";" ONE_BY_RAX, "vCont;c"},
        {";cmds:0," PRINT, "vCont;c"},
        {";" PRINT_AND_FALSE, "vCont;c"},
        {";" FALSE, "vCont;s:p1.1"},
        {";" FALSE, "vCont;r1000,1002:p1.1"},
        {";" FALSE, "vCont;c:p1.2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        prepare_here(rows[i].lists, rows[i].order);
        assert_false(passes());
        assert_int_equal(here.executions, 0);
    }
}

static void what_the_port_cannot_do_is_left_alone(void **state)
{
    (void)state;
    prepare_here(";" FALSE, "vCont;c");
    here.executes = false;
    assert_false(passes());
    machine.port.execute = NULL;
    assert_false(passes());
}

static void a_request_that_has_come_is_first(void **state)
{
    (void)state;
    prepare_here(";" FALSE, "vCont;c");
    assert_int_equal(request("?"), GDBSTUB_BREAK_IN);
    assert_false(passes());
}

static void hardware_points_are_not_overrun(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(ask("Z1,1001,1"), "OK");
    plant(";" FALSE);
    assert_int_equal(request("vCont;c"), GDBSTUB_RESUME);
    expect_silence();
    memcpy(&here, &machine, sizeof(here));
    here.executes = true;
    assert_false(passes());
}

static void no_other_address_passes(void **state)
{
    (void)state;
    prepare_here(";" FALSE, "vCont;c");
    assert_false(gdbstub_passes(&machine.stub, &here, 1, 0x1001));
    assert_int_equal(here.executions, 0);
}

/* ---- Ranges ---- */

static void a_range_is_told_to_who_steps_through_it(void **state)
{
    uint64_t start, end;

    (void)state;
    prepare_running("", "vCont;r2000,2010:p1.1");
    assert_true(gdbstub_steps_through(&machine.stub, 1, &start, &end));
    assert_int_equal(start, 0x2000);
    assert_int_equal(end, 0x2010);
    assert_false(gdbstub_steps_through(&machine.stub, 2, &start, &end));
    assert_int_equal(stepped(0x2010), GDBSTUB_WAIT);
    assert_false(gdbstub_steps_through(&machine.stub, 1, &start, &end));
}

static void a_step_without_a_range_and_a_range_with_points_are_asked_about(void **state)
{
    uint64_t start, end;

    (void)state;
    prepare_running("", "vCont;s:p1.1");
    assert_false(gdbstub_steps_through(&machine.stub, 1, &start, &end));
    prepare();
    assert_string_equal(ask("Z1,2004,1"), "OK");
    assert_int_equal(request("vCont;r2000,2010:p1.1"), GDBSTUB_RESUME);
    assert_false(gdbstub_steps_through(&machine.stub, 1, &start, &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_false_condition_passes_and_its_instruction_is_done),
        cmocka_unit_test(registers_and_memory_are_those_of_the_context),
        cmocka_unit_test(all_conditions_must_be_false),
        cmocka_unit_test(whatever_else_is_left_alone),
        cmocka_unit_test(what_the_port_cannot_do_is_left_alone),
        cmocka_unit_test(a_request_that_has_come_is_first),
        cmocka_unit_test(hardware_points_are_not_overrun),
        cmocka_unit_test(no_other_address_passes),
        cmocka_unit_test(a_range_is_told_to_who_steps_through_it),
        cmocka_unit_test(a_step_without_a_range_and_a_range_with_points_are_asked_about),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
