/*
 * test_gdbstub_agent_print.c - what agent expressions print, and which formats are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent_code.h"

static const struct {
    const char *format;
    uint64_t argument;
    const char *text;
} formats[] = {
    {"%d", 42, "42"},
    {"%d", (uint64_t)-42, "-42"},
    {"%d", 0x180000000, "-2147483648"},
    {"%i", 7, "7"},
    {"%u", (uint64_t)-1, "4294967295"},
    {"%ld", (uint64_t)1 << 63, "-9223372036854775808"},
    {"%lld", (uint64_t)-5, "-5"},
    {"%lu", (uint64_t)-1, "18446744073709551615"},
    {"%zu", (uint64_t)-1, "18446744073709551615"},
    {"%hd", 0x18000, "-32768"},
    {"%hhu", 0x1ff, "255"},
    {"%x", 0xdeadbeef, "deadbeef"},
    {"%X", 0xdeadbeef, "DEADBEEF"},
    {"%lx", 0x123456789a, "123456789a"},
    {"%#x", 255, "0xff"},
    {"%#x", 0, "0"},
    {"%#X", 255, "0XFF"},
    {"%o", 8, "10"},
    {"%#o", 8, "010"},
    {"%lo", (uint64_t)-1, "1777777777777777777777"},
    {"%p", 0x1000, "0x1000"},
    {"%p", 0, "0x0"},
    {"%5d|", 42, "   42|"},
    {"%-5d|", 42, "42   |"},
    {"%05d|", -42, "-0042|"},
    {"%+d", 42, "+42"},
    {"% d", 42, " 42"},
    {"%.4d", 42, "0042"},
    {"%8.4d|", -42, "   -0042|"},
    {"%#08x|", 255, "0x0000ff|"},
    {"%.0d|", 0, "|"},
    {"%c", 'A', "A"},
    {"%3c|", 'A', "  A|"},
    {"%s", 0x1800, "hello"},
    {"%8s|", 0x1800, "   hello|"},
    {"%-8s|", 0x1800, "hello   |"},
    {"%.2s|", 0x1800, "he|"},
    {"%.3s|", 0x1ffd, "end|"}, /* looks no further */
    {"%s", 0, "(null)"},
    {"%d%%", 5, "5%"},
    {"a\\tb\\n\\\\\\\"%d", 5, "a\tb\n\\\"5"},
};

/* "ARGUMENT 0 0 printf FORMAT end" */
static size_t printf_code(uint8_t *code, const char *format, uint64_t argument)
{
    size_t len = strlen(format) + 1;

    code[0] = AGENT_CONST64;
    for (unsigned i = 0; i < 8; i++)
        code[1 + i] = (uint8_t)(argument >> (56 - 8 * i));
    memcpy(code + 9, "\x22\x00\x22\x00\x34\x01\x00", 7);
    code[16] = (uint8_t)len;
    memcpy(code + 17, format, len);
    code[17 + len] = AGENT_END;
    return 18 + len;
}

static void each_format_prints_as_in_c(void **state)
{
    uint8_t code[CODE];
    struct agent_fault fault;

    (void)state;
    prepare();
    memcpy(machine.memory + 0x1800, "hello", 6);
    memcpy(machine.memory + 0x1ffd, "end", 3);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        const char *format = formats[i].format;
        machine.log[0] = '\0';
        assert_null(verify(code, printf_code(code, format, formats[i].argument), AGENT_COMMAND));
        stub_run_agent(&machine.stub, 1, code, &fault);
        if (fault.reason != NULL || strcmp(machine.log, formats[i].text) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\" (%s)", format, formats[i].text, machine.log,
                     fault.reason);
    }
}

static const struct {
    const char *format, *reason;
} bad_formats[] = {
    {"%f", "a format has a conversion that is not done here"},
    {"%n", "a format has a conversion that is not done here"},
    {"%*d", "a format has a conversion that is not done here"},
    {"%ls", "a format has a conversion that is not done here"},
    {"%lc", "a format has a conversion that is not done here"},
    {"%llld", "a format has a conversion that is not done here"},
    {"%d %", "a format has a conversion that is not done here"},
    {"%", "a format has a conversion that is not done here"},
    {"%5", "a format has a conversion that is not done here"},
    {"%d\\q", "a format has an unknown escape"},
    {"%d\\", "a format has an unknown escape"},
    {"%d %d", "a format has more conversions than arguments"},
    {"none", "a format has fewer conversions than arguments"},
};

static void what_cannot_be_printed_is_refused_with_the_reason(void **state)
{
    uint8_t code[CODE];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(bad_formats) / sizeof(bad_formats[0]); i++) {
        const char *format = bad_formats[i].format;
        const char *reason = verify(code, printf_code(code, format, 1), AGENT_COMMAND);
        if (reason == NULL || strcmp(reason, bad_formats[i].reason) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", format, bad_formats[i].reason, reason);
    }
}

static void arguments_are_printed_in_their_order(void **state)
{
    uint8_t code[CODE];
    struct agent_fault fault;

    (void)state;
    prepare();
    /* GDB pushes the last argument first. */
    assert_null(verify(
        code, assemble("22 03 22 02 22 01 22 00 22 00 34 03 000a 25642c25642c25640a00 27", code),
        AGENT_COMMAND));
    stub_run_agent(&machine.stub, 1, code, &fault);
    assert_string_equal(machine.log, "1,2,3\n");
}

static void a_string_without_an_end_is_cut(void **state)
{
    uint8_t code[CODE];
    struct agent_fault fault;

    (void)state;
    prepare();
    memset(machine.memory + 0x3000, 'x', FAKE_PAGE);
    assert_null(verify(code, printf_code(code, "%s", 0x3000), AGENT_COMMAND));
    stub_run_agent(&machine.stub, 1, code, &fault);
    assert_null(fault.reason);
    assert_int_equal(strlen(machine.log), AGENT_STRING_BYTES);
}

static void a_string_that_is_not_there_is_an_error(void **state)
{
    uint8_t code[CODE];
    struct agent_fault fault;

    (void)state;
    prepare();
    memset(machine.memory + 0x1ff0, 'x', 16);
    assert_null(verify(code, printf_code(code, "%s", 0x1ff0), AGENT_COMMAND));
    stub_run_agent(&machine.stub, 1, code, &fault);
    assert_string_equal(fault.reason, "there is no memory to print at");
    assert_int_equal(fault.address, 0x2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_prints_as_in_c),
        cmocka_unit_test(what_cannot_be_printed_is_refused_with_the_reason),
        cmocka_unit_test(arguments_are_printed_in_their_order),
        cmocka_unit_test(a_string_without_an_end_is_cut),
        cmocka_unit_test(a_string_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
