/*
 * test_gdbstub_console.c - text for GDB's console: O packets, and who hears them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1040);
    fake_attach(&machine);
}

/* Collect O packets; the first that is none is left in machine.reply.  Returns how many. */
static unsigned collect_console(char *text, size_t size)
{
    unsigned packets = 0;
    size_t len = 0;

    while (hear()[0] == 'O' && strcmp(machine.reply, "OK") != 0) {
        packets++;
        for (const char *hex = machine.reply + 1; *hex != '\0'; hex += 2) {
            char digits[3] = {hex[0], hex[1], '\0'};
            assert_true(len + 1 < size);
            text[len++] = (char)strtoul(digits, NULL, 16);
        }
    }
    text[len] = '\0';
    return packets;
}

static void text_is_printed_while_the_machine_runs(void **state)
{
    char text[8000], got[8000];

    (void)state;
    prepare();
    request("vCont;c");
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    static const size_t lengths[] = {1, 2047, 2048, 5000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        assert_true(gdbstub_print(&machine.stub, text, lengths[i]));
        assert_int_equal(collect_console(got, sizeof(got)), (lengths[i] + 2046) / 2047);
        assert_int_equal(strlen(got), lengths[i]);
        assert_memory_equal(got, text, lengths[i]);
    }
    assert_true(gdbstub_print(&machine.stub, text, 0));
    assert_string_equal(hear(), "(none)");
}

static void text_is_not_printed_when_nobody_listens(void **state)
{
    (void)state;
    fake_init(&machine);
    assert_false(gdbstub_print(&machine.stub, "x", 1));
    prepare();
    assert_false(gdbstub_print(&machine.stub, "x", 1)); /* stopped */
    request("vCont;c");
    request("qSupported"); /* a new client waits for its answer */
    assert_false(gdbstub_print(&machine.stub, "x", 1));
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    hear();
    assert_string_equal(hear(), "(none)");
}

static void monitor_commands_print(void **state)
{
    char text[8000];

    (void)state;
    prepare();
    request("qRcmd,68656c6c6f"); /* hello */
    assert_int_equal(collect_console(text, sizeof(text)), 1);
    assert_string_equal(text, "hello there\n");
    assert_string_equal(machine.reply, "OK");
    request("qRcmd,6d616e79"); /* many: 3500 characters in pieces of 7 */
    assert_int_equal(collect_console(text, sizeof(text)), 2);
    assert_int_equal(strlen(text), 3500);
    assert_string_equal(machine.reply, "OK");
    assert_string_equal(hear(), "(none)");
}

/* The longest command there can be is terminated inside of the buffer. */
static void a_long_monitor_command_is_taken(void **state)
{
    char text[GDBSTUB_PACKET_SIZE + 1];

    (void)state;
    prepare();
    memset(text, '6', GDBSTUB_PACKET_SIZE);
    memcpy(text, "qRcmd,", 6);
    fake_request(&machine, text, GDBSTUB_PACKET_SIZE);
    assert_string_equal(hear(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_printed_while_the_machine_runs),
        cmocka_unit_test(text_is_not_printed_when_nobody_listens),
        cmocka_unit_test(monitor_commands_print),
        cmocka_unit_test(a_long_monitor_command_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
