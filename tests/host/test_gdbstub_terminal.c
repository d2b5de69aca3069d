/*
 * test_gdbstub_terminal.c - a line that people use, too: what they type, and what a GDB makes of
 * text that it finds there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

static void prepare(void)
{
    fake_init(&machine);
    machine.port.is_terminal = true;
    fake_set(&machine, 1, FAKE_RIP, 0x1040);
    fake_attach(&machine);
}

static enum gdbstub_event type(const char *text)
{
    return fake_receive(&machine, text, strlen(text));
}

/* ---- Somebody finds no GDB ---- */

static void three_line_ends_are_as_good_as_a_detach(void **state)
{
    static const char *const typed[] = {"\r\r\r", "\n\n\n", "\r\n\r", "is it dead?\r\r\r"};

    (void)state;
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        prepare();
        ask("Z0,1048,1");
        assert_int_equal(type(typed[i]), GDBSTUB_DETACH);
        assert_string_equal(hear(), "OK");
        assert_false(gdbstub_attached(&machine.stub));
        assert_false(gdbstub_planted(&machine.stub, 0x1048));
    }
}

static void they_stop_a_running_machine_for_that(void **state)
{
    (void)state;
    prepare();
    request("vCont;c");
    assert_int_equal(type("\r\r\r"), GDBSTUB_BREAK_IN);
    assert_int_equal(fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1), GDBSTUB_DETACH);
}

static void other_line_ends_are_noise(void **state)
{
    static const char *const typed[] = {"\r\r", "\r\rx\r\r", "\r\r+\r", "\r\r$?#3f\r", "$\r\r\r"};

    (void)state;
    for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
        prepare();
        assert_int_equal(type(typed[i]), GDBSTUB_WAIT);
        assert_true(gdbstub_attached(&machine.stub));
    }
    prepare();
    machine.port.is_terminal = false;
    assert_int_equal(type("\r\r\r\r\r\r"), GDBSTUB_WAIT);
    prepare();
    ask("D");
    assert_int_equal(type("\r\r\r\r\r\r"), GDBSTUB_WAIT);
}

/* ---- GDB finds text ---- */

static unsigned replies(void)
{
    unsigned count = 0;

    while (fake_take_packet(&machine, NULL) >= 0)
        count++;
    return count;
}

/* GDB has taken '-' in a text for an answer: it asks up to four times, and reads one reply. */
static void an_opening_request_asked_again_at_once_has_one_reply(void **state)
{
    (void)state;
    prepare();
    for (unsigned asked = 0; asked < 4; asked++) {
        request("qSupported:swbreak+");
        fake_receive(&machine, "+", 1); /* a packet in the text, acknowledged */
    }
    assert_int_equal(replies(), 1);
    fake_receive(&machine, "-", 1); /* and it has missed that reply */
    assert_memory_equal(hear(), "PacketSize=", 11);
    assert_string_equal(ask("vMustReplyEmpty"), "");
    request("qSupported:swbreak+"); /* a new GDB */
    assert_int_equal(replies(), 1);
}

/* LLDB begins without acknowledgements. */
static void another_opening_request_has_a_reply_of_its_own(void **state)
{
    (void)state;
    prepare();
    request("qSupported:swbreak+");
    request("QStartNoAckMode");
    request("qSupported:swbreak+");
    assert_int_equal(replies(), 3);
}

static void who_goes_on_asking_is_answered(void **state)
{
    (void)state;
    prepare();
    for (unsigned asked = 0; asked < 5; asked++)
        request("qSupported:swbreak+");
    assert_int_equal(replies(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_line_ends_are_as_good_as_a_detach),
        cmocka_unit_test(they_stop_a_running_machine_for_that),
        cmocka_unit_test(other_line_ends_are_noise),
        cmocka_unit_test(an_opening_request_asked_again_at_once_has_one_reply),
        cmocka_unit_test(another_opening_request_has_a_reply_of_its_own),
        cmocka_unit_test(who_goes_on_asking_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
