/*
 * test_gdbstub_lldb.c - what is different when LLDB is the client.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "one_client.h"

static void lldb_attaches(void)
{
    ask("qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+;fork-events+;vfork-events+");
}

static void lldb_s_binary_read_is_another_packet(void **state)
{
    (void)state;
    lldb_attaches();
    expect("x0,0", "");
    expect("x1000,4", "");
}

static void lldb_stands_behind_a_breakpoint_of_the_program_s_own(void **state)
{
    (void)state;
    lldb_attaches();
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    assert_int_equal(request("c"), GDBSTUB_RESUME);
    fake_stop(&machine, GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 1);
    assert_int_equal(fake_get(&machine, 1, FAKE_RIP), 0x1001);
    hear();
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    expect("Z0,1000,1", "OK");
    assert_int_equal(request("c"), GDBSTUB_RESUME);
    fake_stop(&machine, GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 1);
    assert_int_equal(fake_get(&machine, 1, FAKE_RIP), 0x1000);
}

static void lldb_names_threads_behind_register_packets(void **state)
{
    (void)state;
    lldb_attaches();
    fake_set(&machine, 2, FAKE_RAX, 0x1234);
    expect("p0;thread:0002;", "E01");
    expect("QThreadSuffixSupported", "OK");
    expect("p0;thread:0002;", "3412000000000000");
    expect("P0=7856000000000000;thread:1;", "OK");
    assert_int_equal(fake_get(&machine, 1, FAKE_RAX), 0x5678);
    expect("p0;thread:9;", "E03");
    expect("p0;thread:x;", "E01");
    assert_memory_equal(ask("g;thread:2;"), "34120000", 8);
}

static void lldb_gets_the_threads_with_each_stop(void **state)
{
    (void)state;
    lldb_attaches();
    expect("QListThreadsInStopReply", "OK");
    assert_non_null(strstr(ask("?"), "threads:1,2;"));
    machine.threads = 999;
    assert_null(strstr(ask("?"), "threads:"));
    assert_non_null(strstr(machine.reply, "thread:p1.1;"));
}

static void too_many_threads_for_one_packet_are_an_error(void **state)
{
    (void)state;
    lldb_attaches();
    machine.threads = 999;
    expect("jThreadsInfo", "E07");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, attach)
    const struct CMUnitTest tests[] = {
        CASE(lldb_s_binary_read_is_another_packet),
        CASE(lldb_stands_behind_a_breakpoint_of_the_program_s_own),
        CASE(lldb_names_threads_behind_register_packets),
        CASE(lldb_gets_the_threads_with_each_stop),
        CASE(too_many_threads_for_one_packet_are_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
