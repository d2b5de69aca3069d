/*
 * test_command_line.c - options are found, mistakes are named and do nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/command_line.c"
#include "kernel/format.c"

static char logged[1024];

void log_print(enum log_level level, const char *format, ...)
{
    size_t used = strlen(logged);
    va_list arguments;

    (void)level;
    va_start(arguments, format);
    format_text_list(logged + used, sizeof logged - used, format, arguments);
    va_end(arguments);
    strcat(logged, "\n");
}

static void parse(const char *text)
{
    logged[0] = '\0';
    command_line_init(text);
}

static void assert_logged(const char *words)
{
    if (strstr(logged, words) == NULL)
        fail_msg("expected \"%s\" in the log, which is \"%s\"", words, logged);
}

static void nothing_is_given(void **state)
{
    static const char *const empty[] = {"", " ", " \t\n "};

    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        parse(empty[i]);
        assert_string_equal(logged, "");
        assert_null(command_line_value("run"));
        assert_false(command_line_flag("gdbwait"));
        assert_int_equal(command_line_choice("gdb", "com2|com1|off", 2), 2);
    }
}

static void values_and_flags_are_found_between_any_spaces(void **state)
{
    (void)state;
    parse("  run=provoke:null-read\tgdbwait  gdb=com1 ");
    assert_string_equal(logged, "");
    assert_string_equal(command_line_value("run"), "provoke:null-read");
    assert_true(command_line_flag("gdbwait"));
    assert_int_equal(command_line_choice("gdb", "com2|com1|off", 0), 1);
}

static void a_value_may_be_empty_or_hold_an_equals_sign(void **state)
{
    (void)state;
    parse("run= oncrash=a=b");
    assert_string_equal(command_line_value("run"), "");
    assert_string_equal(command_line_value("oncrash"), "a=b");
}

static void the_last_of_several_counts(void **state)
{
    (void)state;
    parse("run=a run=b run=c");
    assert_string_equal(command_line_value("run"), "c");
}

static void names_match_whole(void **state)
{
    (void)state;
    parse("gdbwai gdbwaits gd=com1 RUN=x");
    assert_false(command_line_flag("gdbwait"));
    assert_null(command_line_value("gdb"));
    assert_null(command_line_value("run"));
    assert_logged("\"gdbwai\" is ignored");
    assert_logged("\"gdbwaits\" is ignored");
    assert_logged("\"gd=com1\" is ignored");
    assert_logged("\"RUN=x\" is ignored");
}

static void an_unknown_word_is_told_the_known_ones(void **state)
{
    (void)state;
    parse("quiet");
    assert_logged("\"quiet\" is ignored");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        assert_logged(options[i].name);
}

static void flags_and_options_are_not_confused(void **state)
{
    (void)state;
    parse("gdbwait=1 run");
    assert_false(command_line_flag("gdbwait"));
    assert_null(command_line_value("run"));
    assert_logged("\"gdbwait=1\" is ignored: say just gdbwait");
    assert_logged("\"run\" is ignored: say run=VALUE");
}

static void a_choice_must_be_one_of_the_offered(void **state)
{
    static const char *const wrong[] = {"com", "com22", "off|", "|", "", "com1|off", "COM1"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[64], expected[128];

        format_text(text, sizeof text, "console=%s", wrong[i]);
        format_text(expected, sizeof expected, "%s is ignored: say console=com1|com2|off", text);
        parse(text);
        assert_int_equal(command_line_choice("console", "com1|com2|off", 2), 2);
        assert_logged(expected);
    }
}

static void a_line_that_is_too_long_is_cut(void **state)
{
    char text[2 * ARCH_COMMAND_LINE_BYTES];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "run=", 4);
    text[sizeof text - 1] = '\0';
    parse(text);
    assert_int_equal(strlen(command_line_value("run")), ARCH_COMMAND_LINE_BYTES - 1 - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_given),
        cmocka_unit_test(values_and_flags_are_found_between_any_spaces),
        cmocka_unit_test(a_value_may_be_empty_or_hold_an_equals_sign),
        cmocka_unit_test(the_last_of_several_counts),
        cmocka_unit_test(names_match_whole),
        cmocka_unit_test(an_unknown_word_is_told_the_known_ones),
        cmocka_unit_test(flags_and_options_are_not_confused),
        cmocka_unit_test(a_choice_must_be_one_of_the_offered),
        cmocka_unit_test(a_line_that_is_too_long_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
