/*
 * test_gdbstub_breakpoints.c - planted breakpoints are seen by the program and by nobody else, and
 * leave nothing behind; hardware points are remembered.
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
    for (unsigned i = 0; i < FAKE_MEMORY; i++)
        machine.memory[i] = (uint8_t)i;
    fake_attach(&machine);
}

static void a_breakpoint_is_planted_and_removed(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(ask("Z0,1040,1"), "OK");
    assert_int_equal(machine.memory[0x1040], 0xcc);
    assert_true(gdbstub_planted(&machine.stub, 0x1040));
    assert_false(gdbstub_planted(&machine.stub, 0x1041));
    assert_string_equal(ask("z0,1040,1"), "OK");
    assert_int_equal(machine.memory[0x1040], 0x40);
    assert_false(gdbstub_planted(&machine.stub, 0x1040));
}

static void insertion_and_removal_can_be_repeated(void **state)
{
    (void)state;
    prepare();
    for (int i = 0; i < 3; i++)
        assert_string_equal(ask("Z0,1040,1"), "OK");
    assert_string_equal(ask("z0,1040,1"), "OK");
    assert_int_equal(machine.memory[0x1040], 0x40);
    assert_string_equal(ask("z0,1040,1"), "OK");
    assert_int_equal(machine.memory[0x1040], 0x40);
}

static void reads_do_not_show_breakpoints(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1040,1");
    ask("Z0,1042,1");
    ask("Z0,1043,1");
    assert_string_equal(ask("m103f,6"), "3f4041424344");
    assert_string_equal(ask("m1040,1"), "40");
    assert_string_equal(ask("x1040,4"), "b@ABC");
    assert_int_equal(machine.memory[0x1043], 0xcc);
    /* across the pieces in which memory is read */
    ask("Z0,10ff,1");
    ask("Z0,1100,1");
    assert_string_equal(ask("m10fe,4"), "feff0001");
    assert_memory_equal(ask("m1000,800") + 2 * 0xfe, "feff0001", 8);
}

/* The program's own int3 reads as it is: GDB looks for it to step over it. */
static void an_own_breakpoint_instruction_is_shown(void **state)
{
    (void)state;
    prepare();
    machine.memory[0x1040] = 0xcc;
    assert_string_equal(ask("m1040,1"), "cc");
    ask("Z0,1040,1");
    assert_string_equal(ask("m1040,1"), "cc");
    ask("z0,1040,1");
    assert_int_equal(machine.memory[0x1040], 0xcc);
}

static void writes_leave_breakpoints_in_place(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1040,1");
    ask("Z0,1043,1");
    assert_string_equal(ask("M103f,6:a0a1a2a3a4a5"), "OK");
    assert_memory_equal(machine.memory + 0x103f, "\xa0\xcc\xa2\xa3\xcc\xa5", 6);
    assert_string_equal(ask("m103f,6"), "a0a1a2a3a4a5");
    assert_string_equal(ask("X1040,1:b"), "OK");
    assert_int_equal(machine.memory[0x1040], 0xcc);
    ask("z0,1040,1");
    ask("z0,1043,1");
    assert_memory_equal(machine.memory + 0x103f, "\xa0\x62\xa2\xa3\xa4\xa5", 6);
}

/* A write that fails behind a breakpoint says so; what came before it is written. */
static void writes_over_breakpoints_can_fail(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1fff,1");
    machine.absent[2] = true;
    assert_string_equal(ask("M1ffe,3:a0a1a2"), "E14");
    assert_string_equal(ask("m1ffe,3"), "a0a1");
}

/* The program has overwritten its code: those bytes are its own. */
static void what_the_program_wrote_stays(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1040,1");
    machine.memory[0x1040] = 0x77;
    assert_string_equal(ask("m1040,1"), "77");
    ask("M1040,1:78");
    assert_int_equal(machine.memory[0x1040], 0x78);
    ask("z0,1040,1");
    assert_int_equal(machine.memory[0x1040], 0x78);
}

static void a_lost_breakpoint_is_planted_again(void **state)
{
    (void)state;
    prepare();
    ask("Z0,1040,1");
    machine.memory[0x1040] = 0x77;
    assert_string_equal(ask("Z0,1040,1"), "OK");
    assert_int_equal(machine.memory[0x1040], 0xcc);
    ask("z0,1040,1");
    assert_int_equal(machine.memory[0x1040], 0x77);
}

static void refusals_leave_no_trace(void **state)
{
    static const char *const requests[] = {"Z0,2000,1", "Z0,5000,1", "Z0,6000,1",
                                           "Z0,7000,1", "Z0,1000,2", "Z0,ffffffffffffffff,2"};

    (void)state;
    prepare();
    machine.absent[2] = true;
    machine.read_only[5] = true;
    machine.refused_from = 0x6000;
    machine.refused_to = 0x6001;
    machine.rom[7] = true;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        const char *reply = ask(requests[i]);
        if (reply[0] != 'E')
            fail_msg("%s: expected a refusal, got \"%s\"", requests[i], reply);
    }
    assert_string_equal(ask("D"), "OK");
    for (unsigned i = 0; i < FAKE_MEMORY; i++)
        assert_int_equal(machine.memory[i], (uint8_t)i);
}

static void the_table_is_used_to_its_end(void **state)
{
    char request[32];

    (void)state;
    prepare();
    for (unsigned i = 0; i <= GDBSTUB_MAX_BREAKPOINTS; i++) {
        snprintf(request, sizeof(request), "Z0,%x,1", 0x1000 + 2 * i);
        const char *reply = ask(request);
        assert_string_equal(
            reply, i < GDBSTUB_MAX_BREAKPOINTS ? "OK" : "E.all software breakpoints are in use");
    }
    assert_string_equal(ask("z0,1000,1"), "OK");
    assert_string_equal(ask(request), "OK");
    assert_string_equal(ask("D"), "OK");
    for (unsigned i = 0; i < FAKE_MEMORY; i++)
        assert_int_equal(machine.memory[i], (uint8_t)i);
}

/* The thread through which it was planted has ended, and its memory was everybody's. */
static void a_breakpoint_outlives_its_thread(void **state)
{
    (void)state;
    prepare();
    ask("Hgp1.2");
    ask("Z0,1040,1");
    machine.dead_thread = 2;
    ask("Hg0");
    assert_string_equal(ask("z0,1040,1"), "OK");
    assert_int_equal(machine.memory[0x1040], 0x40);
}

/* Instructions of several bytes: a read or a write may touch a part of one. */
static void long_breakpoints_are_hidden_in_parts(void **state)
{
    static const uint8_t instruction[] = {0xde, 0xad, 0xbe, 0xef};
    struct gdbstub_arch arch;

    (void)state;
    prepare();
    arch = *machine.port.arch;
    arch.breakpoint = instruction;
    arch.breakpoint_size = sizeof(instruction);
    machine.port.arch = &arch;
    assert_string_equal(ask("Z0,1040,4"), "OK");
    assert_string_equal(ask("Z0,1042,4"), "E.it would overlap another breakpoint");
    assert_string_equal(ask("Z0,103d,4"), "E.it would overlap another breakpoint");
    assert_string_equal(ask("Z0,fffffffffffffffe,4"), "E22");
    assert_string_equal(ask("m103f,6"), "3f4041424344");
    assert_string_equal(ask("m1041,2"), "4142");
    assert_string_equal(ask("m103e,4"), "3e3f4041");
    ask("M1042,4:a2a3a4a5");
    assert_memory_equal(machine.memory + 0x1040, "\xde\xad\xbe\xef\xa4\xa5", 6);
    assert_string_equal(ask("m1040,6"), "4041a2a3a4a5");
    ask("z0,1040,4");
    assert_memory_equal(machine.memory + 0x1040, "\x40\x41\xa2\xa3\xa4\xa5", 6);
}

/* ---- Hardware points ---- */

static size_t points_in_use(void)
{
    size_t used = 0;

    for (size_t i = 0; i < FAKE_POINTS; i++)
        used += machine.points[i].used;
    return used;
}

static void points_go_to_the_port(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(ask("Z1,1040,1"), "OK");
    assert_string_equal(ask("Z2,3000,4"), "OK");
    assert_int_equal(machine.points[0].kind, GDBSTUB_POINT_EXECUTE);
    assert_int_equal(machine.points[1].kind, GDBSTUB_POINT_WRITE);
    assert_int_equal(machine.points[1].address, 0x3000);
    assert_int_equal(machine.points[1].length, 4);
    assert_false(gdbstub_planted(&machine.stub, 0x1040));
    assert_string_equal(ask("z1,1040,1"), "OK");
    assert_string_equal(ask("z2,3000,4"), "OK");
    assert_int_equal(points_in_use(), 0);
}

static void the_fifth_point_is_an_error(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(ask("Z2,3000,4"), "OK");
    assert_string_equal(ask("Z2,3010,4"), "OK");
    assert_string_equal(ask("Z4,3020,4"), "OK");
    assert_string_equal(ask("Z1,1040,1"), "OK");
    assert_string_equal(ask("Z2,3030,4"), "E28");
    assert_string_equal(ask("z2,3030,4"), "OK");
    assert_string_equal(ask("z2,3010,4"), "OK");
    assert_string_equal(ask("Z2,3030,4"), "OK");
}

static void a_point_takes_one_register_however_often_it_is_inserted(void **state)
{
    (void)state;
    prepare();
    for (int i = 0; i < 6; i++)
        assert_string_equal(ask("Z2,3000,4"), "OK");
    assert_int_equal(points_in_use(), 1);
    assert_string_equal(ask("z2,3000,4"), "OK");
    assert_string_equal(ask("z2,3000,4"), "OK");
    assert_int_equal(points_in_use(), 0);
}

/* However the session ends, nothing of it stays. */
static void nothing_stays_behind(void **state)
{
    static const char *const endings[] = {"D", "D;1", "k", "vKill;1", "qSupported"};

    (void)state;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        prepare();
        ask("Z0,1040,1");
        ask("Z0,1050,1");
        ask("Z1,1060,1");
        ask("Z4,3000,8");
        ask(endings[i]);
        for (unsigned at = 0; at < FAKE_MEMORY; at++)
            assert_int_equal(machine.memory[at], (uint8_t)at);
        assert_int_equal(points_in_use(), 0);
        assert_false(gdbstub_planted(&machine.stub, 0x1040));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_breakpoint_is_planted_and_removed),
        cmocka_unit_test(insertion_and_removal_can_be_repeated),
        cmocka_unit_test(reads_do_not_show_breakpoints),
        cmocka_unit_test(an_own_breakpoint_instruction_is_shown),
        cmocka_unit_test(writes_leave_breakpoints_in_place),
        cmocka_unit_test(writes_over_breakpoints_can_fail),
        cmocka_unit_test(what_the_program_wrote_stays),
        cmocka_unit_test(a_lost_breakpoint_is_planted_again),
        cmocka_unit_test(refusals_leave_no_trace),
        cmocka_unit_test(the_table_is_used_to_its_end),
        cmocka_unit_test(a_breakpoint_outlives_its_thread),
        cmocka_unit_test(long_breakpoints_are_hidden_in_parts),
        cmocka_unit_test(points_go_to_the_port),
        cmocka_unit_test(the_fifth_point_is_an_error),
        cmocka_unit_test(a_point_takes_one_register_however_often_it_is_inserted),
        cmocka_unit_test(nothing_stays_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
