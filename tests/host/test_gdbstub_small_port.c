/*
 * test_gdbstub_small_port.c - a port that leaves out what it may: the stub then makes do without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "one_client.h"

static void registers_without_features_are_the_first_of_gdb_s_own(void **state)
{
    struct gdbstub_arch arch = *machine.port.arch;

    (void)state;
    arch.features = NULL;
    arch.feature_count = 0;
    arch.register_count = arch.g_count;
    machine.port.arch = &arch;
    const char *description = ask("qXfer:features:read:target.xml:0,1000");
    assert_non_null(strstr(description, "<architecture>i386:x86-64</architecture></target>"));
    assert_null(strstr(description, "<reg "));
    expect("p17", "00000000");
    expect("p18", "xx");
    expect("P18=00", "OK"); /* GDB writes orig_rax */
}

static void a_port_without_threads_has_one(void **state)
{
    (void)state;
    machine.port.next_thread = NULL;
    machine.port.thread_info = NULL;
    ask("qXfer:threads:read::0,1000"); /* the first list of a stop is short */
    expect("qXfer:threads:read::0,1000",
           "l<threads><thread id=\"p1.1\" core=\"0\" name=\"kernel\">running</thread></threads>");
    expect("qfThreadInfo", "mp1.1");
    expect("qsThreadInfo", "l");
    expect("Tp1.1", "OK");
    expect("Tp1.2", "E03");
    assert_int_equal(request("vCont;s:p1.1"), GDBSTUB_RESUME);
    assert_int_equal(machine.resumes, 1);
    assert_int_equal(machine.resume[1].action, GDBSTUB_STEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(registers_without_features_are_the_first_of_gdb_s_own, attach),
        cmocka_unit_test_setup(a_port_without_threads_has_one, attach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
