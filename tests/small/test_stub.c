/*
 * test_stub.c - the smallest build of the stub does all that GDB needs, and says what it has not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "one_client.h"

static int attach_at_1000(void **state)
{
    (void)attach(state);
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    return 0;
}

static void registers_and_memory_are_read_and_written(void **state)
{
    (void)state;
    expect("P0=0102030405060708", "OK");
    expect("p0", "0102030405060708");
    assert_int_equal(strncmp(ask("g"), "0102030405060708", 16), 0);
    expect("M2000,4:cafe0123", "OK");
    expect("m2000,4", "cafe0123");
    expect("X2000,1:z", "OK");
    expect("m2000,2", "7afe");
}

static void breakpoints_stop_and_do_not_show(void **state)
{
    (void)state;
    expect("Z0,1000,1", "OK");
    assert_int_equal(*fake_byte(&machine, 0x1000), 0xcc);
    expect("m1000,1", "00");
    assert_int_equal(request("c"), GDBSTUB_RESUME);
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 1), GDBSTUB_WAIT);
    expect_stop("T05swbreak:;", "10:0010000000000000;");
    expect("z0,1000,1", "OK");
    assert_int_equal(*fake_byte(&machine, 0x1000), 0);
}

static void steps_step(void **state)
{
    static const char *const requests[] = {"s", "s1000", "S05"};

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        assert_int_equal(request(requests[i]), GDBSTUB_RESUME);
        assert_int_equal(machine.resume[1].action, GDBSTUB_STEP);
        assert_int_equal(step_trap(1), GDBSTUB_WAIT);
        expect_stop("T05", "10:0010000000000000;");
    }
    assert_int_equal(strncmp(ask("?"), "T05", 3), 0);
    assert_int_equal(request("D;1"), GDBSTUB_DETACH);
}

static void what_it_has_not_it_does_not_announce(void **state)
{
    static const char *const requests[] = {"qXfer:features:read:target.xml:0,100",
                                           "vFile:setfs:0",
                                           "Hg0",
                                           "T1",
                                           "qC",
                                           "vCont?",
                                           "vCont;c",
                                           "qfThreadInfo",
                                           "Z1,1000,1",
                                           "z2,1000,4",
                                           "qCRC:0,1",
                                           "qSearch:memory:0;1;x",
                                           "qRcmd,00",
                                           "vRun;",
                                           "QCatchSyscalls:0",
                                           "jThreadsInfo",
                                           "qHostInfo",
                                           "qMemoryRegionInfo:0"};

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        expect(requests[i], "");
    expect("Z0,1000,1;X3,220027", "E01");
    const char *announced = ask("qSupported:multiprocess+;swbreak+;hwbreak+");
    assert_null(strstr(announced, "qXfer"));
    assert_null(strstr(announced, "qSearch"));
    assert_null(strstr(announced, "Conditional"));
    assert_null(strstr(announced, "vCont"));
    assert_null(strstr(announced, "multiprocess"));
    assert_null(strstr(announced, "hwbreak"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers_and_memory_are_read_and_written, attach_at_1000),
        cmocka_unit_test_setup(breakpoints_stop_and_do_not_show, attach_at_1000),
        cmocka_unit_test_setup(steps_step, attach_at_1000),
        cmocka_unit_test_setup(what_it_has_not_it_does_not_announce, attach_at_1000),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
