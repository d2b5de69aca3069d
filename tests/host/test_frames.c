/*
 * test_frames.c - page frames: each is given to one owner, and all come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_kernel.h"
#include "kernel/frames.c"

/* ---- The architecture: three ranges of memory, one far up, one of a single page ---- */

#define FAR_UP 0x180000000u

enum {
    LOW_FRAMES = 200,
    FAR_FRAMES = 77,
    MOST_FRAMES = LOW_FRAMES + FAR_FRAMES,
};

static const struct {
    uint64_t start, pages;
} ranges[] = {{0x200000, LOW_FRAMES + 1}, {0x900000, 1}, {FAR_UP, FAR_FRAMES + 1}};

static uint8_t memory[3][(LOW_FRAMES + 1) * ARCH_PAGE_BYTES];
static uint64_t (*arch_take)(void);
static void (*arch_give)(uint64_t frame);

bool arch_free_memory(size_t n, uint64_t *start, uint64_t *end)
{
    if (n >= sizeof ranges / sizeof ranges[0])
        return false;
    *start = ranges[n].start;
    *end = ranges[n].start + ranges[n].pages * ARCH_PAGE_BYTES;
    return true;
}

void arch_use_frames(uint64_t (*take)(void), void (*give)(uint64_t frame))
{
    arch_take = take;
    arch_give = give;
}

void *arch_physical(uint64_t physical)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        uint64_t offset = physical - ranges[i].start;

        if (offset < ranges[i].pages * ARCH_PAGE_BYTES)
            return memory[i] + offset;
    }
    fail_msg("0x%lx is no memory", physical);
    return NULL;
}

static int start(void **state)
{
    (void)state;
    fake_kernel_reset();
    frames.pool_count = 0;
    frames.counts = (struct frame_counts){0, 0, 0};
    memset(memory, 0xee, sizeof memory);
    frames_init();
    return 0;
}

static void assert_counts(size_t available, size_t used, size_t lowest)
{
    struct frame_counts counts = frames_counts();

    assert_int_equal(counts.free, available);
    assert_int_equal(counts.used, used);
    assert_int_equal(counts.lowest_free, lowest);
    assert_int_equal(fake_kernel.locks, 0);
}

/* ---- The tests ---- */

static void all_memory_but_for_the_bookkeeping_is_free(void **state)
{
    (void)state;
    assert_counts(MOST_FRAMES, 0, MOST_FRAMES);
    assert_ptr_equal(arch_take, frames_take);
    assert_ptr_equal(arch_give, frames_give);
}

static void a_frame_is_zeroed_and_aligned(void **state)
{
    uint64_t frame = frames_take();
    const uint8_t *bytes = arch_physical(frame);

    (void)state;
    assert_int_equal(frame % ARCH_PAGE_BYTES, 0);
    for (size_t i = 0; i < ARCH_PAGE_BYTES; i++)
        assert_int_equal(bytes[i], 0);
    assert_counts(MOST_FRAMES - 1, 1, MOST_FRAMES - 1);
}

static void each_frame_is_handed_out_once_until_there_are_none(void **state)
{
    uint64_t taken[MOST_FRAMES];
    size_t far = 0;

    (void)state;
    for (size_t i = 0; i < MOST_FRAMES; i++) {
        taken[i] = frames_take();
        assert_int_not_equal(taken[i], 0);
        far += taken[i] >= FAR_UP;
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(taken[i], taken[j]);
    }
    assert_int_equal(far, FAR_FRAMES);
    assert_int_equal(frames_take(), 0);
    assert_counts(0, MOST_FRAMES, 0);
    for (size_t i = 0; i < MOST_FRAMES; i++)
        frames_give(taken[i]);
    assert_counts(MOST_FRAMES, 0, 0);
}

static void a_frame_given_twice_is_named(void **state)
{
    uint64_t frame = frames_take();
    char expected[128];

    (void)state;
    frames_give(frame);
    assert_true(PANICS(frames_give(frame)));
    snprintf(expected, sizeof expected,
             "frames: page frame 0x%lx is given back, but it is free: given twice, or never taken",
             frame);
    assert_string_equal(fake_kernel.panic, expected);
    assert_counts(MOST_FRAMES, 0, MOST_FRAMES - 1);
}

static void a_frame_that_was_never_taken_is_named(void **state)
{
    (void)state;
    (void)frames_take();
    assert_true(PANICS(frames_give(FAR_UP + 2 * ARCH_PAGE_BYTES)));
    assert_non_null(strstr(fake_kernel.panic, "page frame 0x180002000 is given back"));
}

static void what_is_no_frame_is_named(void **state)
{
    static const uint64_t wrong[] = {0,
                                     0x1000,
                                     FAR_UP /* the bookkeeping */,
                                     FAR_UP + (FAR_FRAMES + 1) * ARCH_PAGE_BYTES,
                                     0x900000,
                                     UINT64_MAX};
    char expected[128];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_true(PANICS(frames_give(wrong[i])));
        snprintf(expected, sizeof expected,
                 "frames: 0x%lx is given back, which is no page frame of the kernel's", wrong[i]);
        assert_string_equal(fake_kernel.panic, expected);
    }
    assert_true(PANICS(frames_give(frames_take() + 8)));
    assert_non_null(strstr(fake_kernel.panic, "which is no page frame"));
}

static void a_random_history_agrees_with_a_list_of_what_is_taken(void **state)
{
    uint64_t taken[MOST_FRAMES];
    size_t count = 0, lowest = MOST_FRAMES;

    (void)state;
    srand(1);
    for (int round = 0; round < 50000; round++) {
        bool take = rand() % MOST_FRAMES >= (int)count;

        if (!take && count > 0) {
            size_t n = (size_t)rand() % count;

            frames_give(taken[n]);
            taken[n] = taken[--count];
        } else if (count < MOST_FRAMES) {
            uint64_t frame = frames_take();

            assert_int_not_equal(frame, 0);
            for (size_t i = 0; i < count; i++)
                assert_int_not_equal(taken[i], frame);
            taken[count++] = frame;
            lowest = MOST_FRAMES - count < lowest ? MOST_FRAMES - count : lowest;
        }
        assert_counts(MOST_FRAMES - count, count, lowest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_memory_but_for_the_bookkeeping_is_free, start),
        cmocka_unit_test_setup(a_frame_is_zeroed_and_aligned, start),
        cmocka_unit_test_setup(each_frame_is_handed_out_once_until_there_are_none, start),
        cmocka_unit_test_setup(a_frame_given_twice_is_named, start),
        cmocka_unit_test_setup(a_frame_that_was_never_taken_is_named, start),
        cmocka_unit_test_setup(what_is_no_frame_is_named, start),
        cmocka_unit_test_setup(a_random_history_agrees_with_a_list_of_what_is_taken, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
