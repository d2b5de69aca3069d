/*
 * test_format.c - the kernel's printf directives say what the C library's say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/format.c"

enum {
    ROOM = 200,
};

/* One directive with one argument, through both, into a buffer of every size up to the length. */
#define SAME(format, argument)                                                                     \
    do {                                                                                           \
        char ours[ROOM], theirs[ROOM];                                                             \
                                                                                                   \
        for (size_t size = 0; size < 40; size++) {                                                 \
            memset(ours, '#', sizeof ours);                                                        \
            memset(theirs, '#', sizeof theirs);                                                    \
            int length = snprintf(theirs, size, format, argument);                                 \
            assert_int_equal(format_text(ours, size, format, argument), length);                   \
            assert_memory_equal(ours, theirs, sizeof ours);                                        \
        }                                                                                          \
    } while (0)

static void signed_numbers(void **state)
{
    static const int values[] = {0, 1, -1, 9, 10, -10, 123456, INT32_MAX, INT32_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SAME("%d", values[i]);
        SAME("%i|", values[i]);
        SAME("%5d", values[i]);
        SAME("%-5d|", values[i]);
        SAME("%05d", values[i]);
        SAME("%15d", values[i]);
        SAME("%015d", values[i]);
        SAME("%ld", (long)values[i] * 1000000);
        SAME("%lld", (long long)values[i] * 1000000);
    }
    SAME("%ld", INT64_MIN);
    SAME("%030ld", INT64_MIN);
}

static void unsigned_numbers(void **state)
{
    static const unsigned long values[] = {0, 1, 15, 16, 0xdeadbeef, UINT32_MAX, UINT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SAME("%u", (unsigned)values[i]);
        SAME("%x", (unsigned)values[i]);
        SAME("%X", (unsigned)values[i]);
        SAME("%lu", values[i]);
        SAME("%lx", values[i]);
        SAME("%016lx", values[i]);
        SAME("%-20lX|", values[i]);
        SAME("%zu", (size_t)values[i]);
        SAME("%6zx", (size_t)values[i]);
        SAME("%llx", (unsigned long long)values[i]);
        SAME("%llu", (unsigned long long)values[i]);
    }
}

static void strings_and_characters(void **state)
{
    static const char *const values[] = {"", "a", "page fault", "one that is longer than the rest"};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        SAME("%s", values[i]);
        SAME("<%s>", values[i]);
        SAME("%12s", values[i]);
        SAME("%-12s|", values[i]);
        SAME("%.4s", values[i]);
        SAME("%8.4s", values[i]);
        SAME("%-8.0s|", values[i]);
    }
    SAME("%c", 'x');
    SAME("%3c", 'x');
    SAME("%-3c|", 'x');
}

static void pointers(void **state)
{
    int object;

    (void)state;
    SAME("%p", (void *)&object);
    SAME("%20p", (void *)(uintptr_t)0x18);
    SAME("%-20p|", (void *)UINTPTR_MAX);
}

static void several_arguments_in_one_format(void **state)
{
    char ours[ROOM], theirs[ROOM];
    int length = snprintf(theirs, sizeof theirs, "[%5lu.%06lu] %.*s %*d%% %c", 12ul, 34ul, 3,
                          "abcdef", 6, -7, '!');

    (void)state;
    assert_int_equal(format_text(ours, sizeof ours, "[%5lu.%06lu] %.*s %*d%% %c", 12ul, 34ul, 3,
                                 "abcdef", 6, -7, '!'),
                     length);
    assert_string_equal(ours, theirs);
}

static void a_precision_bounds_what_is_read(void **state)
{
    static const char no_end[4] = {'a', 'b', 'c', 'd'};

    (void)state;
    SAME("%.4s", no_end);
}

/* Formats that the compiler would not pass. */
static void mistakes_do_no_harm(void **state)
{
    static const struct {
        const char *format, *text;
    } table[] = {{"%", ""}, {"50%", "50"}, {"%5", ""}, {"%l", ""}, {"%-", ""}, {"%y|", "y|"}};
    const char *volatile nothing = NULL;
    char text[ROOM];

    (void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(format_text(text, sizeof text, table[i].format), strlen(table[i].text));
        assert_string_equal(text, table[i].text);
    }
#pragma GCC diagnostic pop
    format_text(text, sizeof text, "%s", nothing);
    assert_string_equal(text, "(null)");
}

static void bytes_as_hexadecimal_digits(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x09, 0xa0, 0xff};
    char text[2 * sizeof bytes + 1];

    (void)state;
    format_hex(text, bytes, sizeof bytes);
    assert_string_equal(text, "0009a0ff");
    format_hex(text, bytes, 0);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(strings_and_characters),
        cmocka_unit_test(pointers),
        cmocka_unit_test(several_arguments_in_one_format),
        cmocka_unit_test(a_precision_bounds_what_is_read),
        cmocka_unit_test(mistakes_do_no_harm),
        cmocka_unit_test(bytes_as_hexadecimal_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
