/*
 * test_gdbstub_clients.c - clients that announce more or less, and ports that offer less, get what
 * fits them; what a stop reply says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

#define ZEROS_16 "0000000000000000"

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    fake_set(&machine, 1, FAKE_RSP, 0x8000);
    machine.refused_from = 0x6000;
    machine.refused_to = 0x7000;
    fake_attach(&machine);
}

/* What the port does not offer is neither advertised nor spoken. */
static void absent_members_of_the_port_are_not_offered(void **state)
{
    (void)state;
    prepare();
    machine.port.insert_point = NULL;
    machine.port.remove_point = NULL;
    machine.port.monitor = NULL;
    assert_null(strstr(ask("qSupported"), "hwbreak"));
    assert_string_equal(ask("Z1,1000,1"), "");
    assert_string_equal(ask("z2,3000,4"), "");
    assert_string_equal(ask("Z0,1000,1"), "OK");
    assert_string_equal(ask("qRcmd,68656c6c6f"), "");
}

/* What a client has not announced it is not sent. */
static void plain_clients_get_plain_replies(void **state)
{
    (void)state;
    prepare();
    ask("qSupported");
    assert_string_equal(ask("qC"), "QC1");
    assert_string_equal(ask("qfThreadInfo"), "m1,2");
    ask("c");
    fake_stop(&machine, GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP, 2);
    fake_take_packet(&machine, NULL);
    assert_string_equal(machine.reply,
                        "T0506:" ZEROS_16 ";07:" ZEROS_16 ";10:0100000000000000;thread:2;");
}

static void clients_that_take_messages_get_messages(void **state)
{
    (void)state;
    prepare();
    ask("qSupported:error-message+");
    assert_string_equal(ask("m0,1"), "E.the memory cannot be reached");
    assert_string_equal(ask("m"), "E.malformed packet");
    assert_string_equal(ask("Z0,6000,1"), "E.in the debugger itself");
    assert_string_equal(ask("qXfer:features:read:x:0,1"), "E00");
}

static void each_cause_is_told(void **state)
{
    static const struct {
        enum gdbstub_cause cause;
        const char *text;
    } causes[] = {
        {GDBSTUB_CAUSE_SIGNAL, "T05"},
        {GDBSTUB_CAUSE_SW_BREAK, "T05swbreak:;"},
        {GDBSTUB_CAUSE_HW_BREAK, "T05hwbreak:;"},
        {GDBSTUB_CAUSE_WATCH_WRITE, "T05watch:3000;"},
        {GDBSTUB_CAUSE_WATCH_ACCESS, "T05awatch:3000;"},
    };
    char expected[256];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        assert_string_equal(ask("vCont;c"), "(none)");
        fake_stop(&machine, causes[i].cause, GDBSTUB_SIGTRAP, 1);
        snprintf(expected, sizeof(expected),
                 "%s06:" ZEROS_16 ";07:0080000000000000;10:0010000000000000;thread:p1.1;",
                 causes[i].text);
        assert_true(fake_take_packet(&machine, NULL) > 0);
        assert_string_equal(machine.reply, expected);
    }
}

/* A register without a value is left out of a stop reply. */
static void absent_registers_are_not_expedited(void **state)
{
    (void)state;
    prepare();
    machine.without_value[FAKE_RBP] = true;
    assert_string_equal(ask("?"), "T0507:0080000000000000;10:0010000000000000"
                                  ";thread:p1.1;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_members_of_the_port_are_not_offered),
        cmocka_unit_test(plain_clients_get_plain_replies),
        cmocka_unit_test(clients_that_take_messages_get_messages),
        cmocka_unit_test(each_cause_is_told),
        cmocka_unit_test(absent_registers_are_not_expedited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
