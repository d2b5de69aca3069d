/*
 * test_heap_misuse.c - each way to misuse a block is found, and the block is named.
 */
#include "heap_memory.h"

/* ---- What must be said ---- */

enum {
    KERNEL_ADDRESSES_LONGER = 8, /* digits, of two, than the host's */
};

static void assert_said(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void assert_said(const char *format, ...)
{
    char expected[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    if (strncmp(fake_kernel.panic, expected, strlen(expected)) != 0)
        fail_msg("expected: %s\n    seen: %s", expected, fake_kernel.panic);
    assert_true(strlen(fake_kernel.panic) + KERNEL_ADDRESSES_LONGER < CRASH_TEXT_BYTES);
}

static uint64_t site_of(const void *pointer)
{
    struct heap_object object;

    assert_true(heap_describe((uint64_t)(uintptr_t)pointer, &object));
    return object.site;
}

static uint64_t free_site_of(const void *pointer)
{
    struct heap_object object;

    assert_true(heap_describe((uint64_t)(uintptr_t)pointer, &object));
    return object.freed_site;
}

/* ---- Misusing it ---- */

static void writing_past_the_end_is_named(void **state)
{
    char *bytes = heap_alloc(40);

    (void)state;
    memset(bytes, 'A', 45);
    assert_true(PANICS(heap_free(bytes)));
    assert_said("heap: 5 bytes written past the end of a 40-byte block at %p, allocated at pc "
                "0x%lx by thread 7",
                (void *)bytes, site_of(bytes));
    assert_non_null(strstr(fake_kernel.log, ": 41 41 41 41 41 fd"));
}

static void one_byte_past_an_odd_length_is_found_by_a_check(void **state)
{
    char *bytes = heap_alloc(41);

    (void)state;
    heap_check();
    bytes[41] = 0;
    assert_true(PANICS(heap_check()));
    assert_said("heap: 1 byte written past the end of a 41-byte block at %p", (void *)bytes);
}

static void writing_before_the_start_is_named(void **state)
{
    char *bytes = heap_alloc(40);

    (void)state;
    bytes[-3] = 0;
    assert_true(PANICS(heap_free(bytes)));
    assert_said("heap: 3 bytes written before the start of a 40-byte block at %p, allocated at pc "
                "0x%lx by thread 7",
                (void *)bytes, site_of(bytes));
}

static void a_header_that_is_overwritten_is_blamed_on_the_block_in_front(void **state)
{
    char *culprit = heap_alloc(48), *victim = heap_alloc(48);

    (void)state;
    memset(culprit, 'A', 48 + HEAP_RED_ZONE + 4);
    assert_true(PANICS(heap_free(victim)));
    assert_said("heap: 16 bytes written past the end of a 48-byte block at %p", (void *)culprit);
    assert_true(PANICS(heap_check()));
    assert_said("heap: 16 bytes written past the end of a 48-byte block at %p", (void *)culprit);
}

static void a_header_that_is_overwritten_by_nobody_known_is_named(void **state)
{
    char *first = heap_alloc(48), *second = heap_alloc(48);

    (void)state;
    memset(first - HEAP_IN_FRONT, 0, 8);
    assert_true(PANICS(heap_free(first)));
    assert_said("heap: the header of the block at %p is overwritten", (void *)first);
    memset(second - HEAP_IN_FRONT, 0, 8);
    assert_true(PANICS(heap_free(second)));
}

static void freeing_twice_is_named(void **state)
{
    char *bytes = heap_alloc(40);

    (void)state;
    fake_kernel.thread = 8;
    heap_free(bytes);
    fake_kernel.thread = 9;
    assert_true(PANICS(heap_free(bytes)));
    assert_said("heap: a 40-byte block at %p is freed twice, first at pc 0x%lx by thread 8",
                (void *)bytes, free_site_of(bytes));
    assert_non_null(strstr(fake_kernel.log, "by thread 7"));
}

static void freeing_what_is_no_block_is_named(void **state)
{
    char *bytes = heap_alloc(40);
    char local[HEAP_IN_FRONT + 1];

    (void)state;
    assert_true(PANICS(heap_free(local)));
    assert_said("heap: 0x%lx is freed, which is not in the heap", (uintptr_t)local);
    assert_true(PANICS(heap_free((void *)16)));
    assert_said("heap: 0x10 is freed, which is not in the heap");
    assert_true(PANICS(heap_free(bytes + 16)));
    assert_said("heap: 0x%lx is freed, which is 16 bytes from the start of a 40-byte block, "
                "allocated at pc 0x%lx",
                (uintptr_t)bytes + 16, site_of(bytes));
    assert_true(PANICS(heap_free(bytes + 4096)));
    assert_said("heap: 0x%lx is freed, which is in free memory", (uintptr_t)bytes + 4096);
}

static void a_write_after_free_is_found_when_the_block_is_checked(void **state)
{
    char *bytes = heap_alloc(40);

    (void)state;
    heap_free(bytes);
    bytes[8] = 1;
    assert_true(PANICS(heap_check()));
    assert_said("heap: byte 8 of a 40-byte block at %p was written after its free at pc 0x%lx by "
                "thread 7",
                (void *)bytes, free_site_of(bytes));
}

static void free_many(void)
{
    for (int i = 0; i < 100; i++)
        heap_free(heap_alloc(100 * 1000));
}

static void a_write_after_free_is_found_before_the_block_is_used_again(void **state)
{
    char *bytes = heap_alloc(40);

    (void)state;
    heap_free(bytes);
    bytes[39] = 1;
    assert_true(PANICS(free_many()));
    assert_said("heap: byte 39 of a 40-byte block at %p was written after its free", (void *)bytes);
}

static void a_write_long_after_the_free_is_found_too(void **state)
{
    char *bytes = heap_alloc(40);

    (void)state;
    heap_free(bytes);
    release(0);
    bytes[4] = 1;
    assert_true(PANICS(heap_check()));
    assert_said("heap: free memory was written at %p, long after it was freed",
                (void *)(bytes + 4));
    assert_true(PANICS(heap_alloc(40)));
    assert_said("heap: free memory was written at %p", (void *)(bytes + 4));
}

static void the_words_of_a_panic_fit_its_record_for_the_largest_block(void **state)
{
    char *bytes = heap_alloc(HEAP_MAX_BYTES);

    (void)state;
    bytes[HEAP_MAX_BYTES] = 0;
    assert_true(PANICS(heap_free(bytes)));
    assert_said("heap: 1 byte written past the end of a 1048576-byte block");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(writing_past_the_end_is_named),
        CASE(one_byte_past_an_odd_length_is_found_by_a_check),
        CASE(writing_before_the_start_is_named),
        CASE(a_header_that_is_overwritten_is_blamed_on_the_block_in_front),
        CASE(a_header_that_is_overwritten_by_nobody_known_is_named),
        CASE(freeing_twice_is_named),
        CASE(freeing_what_is_no_block_is_named),
        CASE(a_write_after_free_is_found_when_the_block_is_checked),
        CASE(a_write_after_free_is_found_before_the_block_is_used_again),
        CASE(a_write_long_after_the_free_is_found_too),
        CASE(the_words_of_a_panic_fit_its_record_for_the_largest_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
