/*
 * test_log.c - the log ring keeps the last messages, and never shows one that is not whole.
 */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/format.c"
#include "kernel/log.c"
#include "kernel/log_print.c"

/* ---- The rest of the kernel ---- */

static uint64_t now_us;
static unsigned loglevel;
static char printed[64 * 1024];

uint64_t arch_time_us(void)
{
    return now_us;
}

unsigned arch_cpu_id(void)
{
    return 3;
}

unsigned command_line_choice(const char *name, const char *choices, unsigned otherwise)
{
    (void)choices;
    (void)otherwise;
    assert_string_equal(name, "loglevel");
    return loglevel;
}

void console_print(const char *format, ...)
{
    size_t used = strlen(printed);
    va_list arguments;

    va_start(arguments, format);
    format_text_list(printed + used, sizeof printed - used, format, arguments);
    va_end(arguments);
}

static int start(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof ring);
    memset(printed, 0, sizeof printed);
    now_us = 0;
    loglevel = LOG_NOTICE;
    return 0;
}

/* ---- The tests ---- */

static void a_message_is_kept_with_what_belongs_to_it(void **state)
{
    struct log_entry entry;

    (void)state;
    now_us = 1234567;
    log_print(LOG_WARNING, "%s at 0x%x", "fault", 0x18);
    assert_int_equal(log_oldest(), 0);
    assert_int_equal(log_next(), 1);
    assert_true(log_read(0, &entry));
    assert_int_equal(entry.time_us, 1234567);
    assert_int_equal(entry.cpu, 3);
    assert_int_equal(entry.level, LOG_WARNING);
    assert_int_equal(entry.length, strlen("fault at 0x18"));
    assert_string_equal(entry.text, "fault at 0x18");
}

/* What the stack held before is nobody's business. */
static void nothing_follows_a_text(void **state)
{
    static const char nothing[LOG_TEXT_BYTES];
    struct log_entry entry;
    char text[LOG_TEXT_BYTES];

    (void)state;
    memset(text, 'x', sizeof text);
    log_text(LOG_NOTICE, text, sizeof text);
    log_text(LOG_NOTICE, text, 5);
    assert_true(log_read(1, &entry));
    assert_int_equal(entry.length, 5);
    assert_memory_equal(entry.text + 5, nothing, sizeof entry.text - 5);
}

static void a_quiet_message_is_kept_and_not_printed(void **state)
{
    struct log_entry entry;

    (void)state;
    log_init();
    log_quietly(LOG_ERROR, "hush", 4);
    assert_true(log_read(0, &entry));
    assert_string_equal(entry.text, "hush");
    assert_string_equal(printed, "");
}

static void what_was_never_logged_is_not_there(void **state)
{
    struct log_entry entry;

    (void)state;
    assert_false(log_read(0, &entry));
    assert_false(log_read(LOG_SLOTS, &entry));
    assert_false(log_read(UINT64_MAX, &entry));
}

static void the_ring_keeps_the_newest(void **state)
{
    struct log_entry entry;
    char expected[32];

    (void)state;
    for (unsigned i = 0; i < LOG_SLOTS + 10; i++)
        log_print(LOG_NOTICE, "message %u", i);
    assert_int_equal(log_oldest(), 10);
    assert_false(log_read(9, &entry));
    for (uint64_t n = log_oldest(); n < log_next(); n++) {
        snprintf(expected, sizeof expected, "message %u", (unsigned)n);
        assert_true(log_read(n, &entry));
        assert_string_equal(entry.text, expected);
    }
    assert_int_equal(log_lost(), 0);
}

static void a_long_message_ends_in_dots(void **state)
{
    struct log_entry entry;
    char text[LOG_TEXT_BYTES + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    text[LOG_TEXT_BYTES - 1] = '\0';
    log_print(LOG_NOTICE, "%s", text);
    assert_true(log_read(0, &entry));
    assert_string_equal(entry.text, text);

    text[LOG_TEXT_BYTES - 1] = 'x';
    text[LOG_TEXT_BYTES] = '\0';
    log_print(LOG_NOTICE, "%s", text);
    assert_true(log_read(1, &entry));
    assert_int_equal(entry.length, LOG_TEXT_BYTES - 1);
    assert_string_equal(entry.text + LOG_TEXT_BYTES - 5, "x...");
}

static void a_slot_in_use_is_neither_read_nor_overwritten(void **state)
{
    struct log_entry entry;

    (void)state;
    log_print(LOG_NOTICE, "the first");
    atomic_store(&ring.slots[0].state, writing(0)); /* its writer was interrupted */
    assert_false(log_read(0, &entry));
    for (unsigned i = 1; i <= LOG_SLOTS; i++)
        log_print(LOG_NOTICE, "message %u", i);
    assert_int_equal(log_lost(), 1);
    assert_false(log_read(LOG_SLOTS, &entry));
    assert_string_equal(ring.slots[0].entry.text, "the first");
}

static void only_what_matters_is_printed(void **state)
{
    (void)state;
    loglevel = LOG_WARNING;
    log_init();
    now_us = 1234567;
    log_print(LOG_ERROR, "e");
    log_print(LOG_WARNING, "w");
    log_print(LOG_NOTICE, "n");
    log_print(LOG_DEBUG, "d");
    assert_string_equal(printed, "[    1.234567] e\n[    1.234567] w\n");
    assert_int_equal(log_next(), 4);
}

static void levels_have_numbers_too(void **state)
{
    (void)state;
    for (loglevel = 0; loglevel < 2 * LOG_LEVELS; loglevel++) {
        memset(&ring, 0, sizeof ring);
        log_init();
        assert_int_equal(ring.level, loglevel % LOG_LEVELS);
    }
}

static void what_came_before_the_console_is_printed_later(void **state)
{
    (void)state;
    log_print(LOG_NOTICE, "early");
    log_print(LOG_DEBUG, "early and unimportant");
    assert_string_equal(printed, "");
    log_init();
    log_print(LOG_NOTICE, "late");
    assert_string_equal(printed, "[    0.000000] early\n[    0.000000] late\n");
}

enum {
    WRITERS = 3,
    MESSAGES = 20000, /* of each */
    REPEATS = 200,
};

/* A message whose every character tells which one it is. */
static void *write_many(void *argument)
{
    char letter = *(const char *)argument, text[REPEATS + 1];

    for (int i = 0; i < MESSAGES; i++) {
        memset(text, letter + i % 8, REPEATS);
        text[REPEATS] = '\0';
        log_print(LOG_DEBUG, "%s", text);
    }
    return NULL;
}

static void assert_whole(const struct log_entry *entry)
{
    assert_int_equal(entry->length, REPEATS);
    for (size_t i = 1; i < REPEATS; i++) {
        if (entry->text[i] != entry->text[0])
            fail_msg("mixed message: \"%s\"", entry->text);
    }
}

static void readers_and_writers_never_meet_in_a_message(void **state)
{
    static const char letters[WRITERS] = {'a', 'k', 'A'};
    pthread_t threads[WRITERS];
    struct log_entry entry;
    uint64_t kept = 0;

    (void)state;
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, (void *)&letters[i]), 0);
    while (log_next() < WRITERS * MESSAGES) {
        if (log_read(log_next() - 1, &entry) || log_read(log_oldest(), &entry))
            assert_whole(&entry);
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uint64_t n = log_oldest(); n < log_next(); n++) {
        if (log_read(n, &entry)) {
            assert_whole(&entry);
            kept++;
        }
    }
    assert_int_equal(log_next(), WRITERS * MESSAGES);
    assert_true(kept + log_lost() >= LOG_SLOTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_message_is_kept_with_what_belongs_to_it, start),
        cmocka_unit_test_setup(nothing_follows_a_text, start),
        cmocka_unit_test_setup(a_quiet_message_is_kept_and_not_printed, start),
        cmocka_unit_test_setup(what_was_never_logged_is_not_there, start),
        cmocka_unit_test_setup(the_ring_keeps_the_newest, start),
        cmocka_unit_test_setup(a_long_message_ends_in_dots, start),
        cmocka_unit_test_setup(a_slot_in_use_is_neither_read_nor_overwritten, start),
        cmocka_unit_test_setup(only_what_matters_is_printed, start),
        cmocka_unit_test_setup(levels_have_numbers_too, start),
        cmocka_unit_test_setup(what_came_before_the_console_is_printed_later, start),
        cmocka_unit_test_setup(readers_and_writers_never_meet_in_a_message, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
