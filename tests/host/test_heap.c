/*
 * test_heap.c - the heap keeps blocks apart, and knows of each address whose it is.
 */
#include "heap_memory.h"

static void sizes_that_are_none_get_nothing(void **state)
{
    (void)state;
    assert_null(heap_alloc(0));
    assert_null(heap_alloc(HEAP_MAX_BYTES + 1));
    assert_null(heap_alloc(SIZE_MAX));
    heap_free(NULL);
    assert_int_equal(heap_counts().blocks, 0);
}

static void every_size_is_aligned_and_filled(void **state)
{
    (void)state;
    for (size_t size = 1; size <= HEAP_MAX_BYTES; size += 1 + size / 3) {
        uint8_t *bytes = heap_alloc(size);

        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % HEAP_ALIGNMENT, 0);
        assert_int_equal(bytes[0], HEAP_FILL_NEW);
        assert_int_equal(bytes[size - 1], HEAP_FILL_NEW);
        heap_free(bytes);
    }
    heap_check();
}

static void a_freed_block_is_poisoned_and_kept_back(void **state)
{
    uint8_t *first = heap_alloc(100), *second;

    (void)state;
    heap_free(first);
    assert_int_equal(first[0], HEAP_FILL_FREED);
    assert_int_equal(first[99], HEAP_FILL_FREED);
    second = heap_alloc(100);
    assert_ptr_not_equal(first, second);
    assert_true(heap_counts().kept_back >= 100);
}

static void what_is_kept_back_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        heap_free(heap_alloc(100 * 1000));
        assert_true(heap_counts().kept_back <= KEPT_BACK_BYTES);
    }
    assert_true(heap_counts().backed <= KEPT_BACK_BYTES + 400 * 1000);
}

static void memory_that_is_short_is_no_block(void **state)
{
    void *bytes;

    (void)state;
    room = 100 * ARCH_PAGE_BYTES;
    assert_null(heap_alloc(HEAP_MAX_BYTES));
    assert_non_null(strstr(fake_kernel.log, "heap: no memory for 1048576 bytes, wanted at pc 0x"));
    bytes = heap_alloc(1000);
    assert_non_null(bytes);
    while (heap_alloc(1000) != NULL)
        continue;
    heap_free(bytes);
    assert_non_null(heap_alloc(1000)); /* what was kept back is better than nothing */
    heap_check();
}

static void freed_neighbours_become_one_block(void **state)
{
    uint8_t *bytes[64];

    (void)state;
    room = 64 << 10;
    for (size_t i = 0; i < 64; i++)
        bytes[i] = heap_alloc(500);
    for (size_t i = 0; i < 64; i++)
        heap_free(bytes[(i * 37) % 64]);
    assert_non_null(heap_alloc((64 << 10) - HEAP_IN_FRONT - HEAP_RED_ZONE));
    heap_check();
}

/* ---- Describing ---- */

static void assert_place(const char *address, enum heap_state state, enum heap_place place,
                         const char *start, size_t size)
{
    struct heap_object object;

    assert_true(heap_describe((uint64_t)(uintptr_t)address, &object));
    assert_int_equal(object.state, state);
    assert_int_equal(object.place, place);
    assert_ptr_equal(object.start, start);
    assert_int_equal(object.size, size);
    assert_int_equal(object.thread, 7);
}

static void any_address_is_described_by_its_block(void **state)
{
    const char *small = heap_alloc(1), *large = heap_alloc(100 * 1000), *last = heap_alloc(40);

    (void)state;
    assert_place(small, HEAP_ALLOCATED, HEAP_IN_BLOCK, small, 1);
    assert_place(small + 1, HEAP_ALLOCATED, HEAP_BEHIND_BLOCK, small, 1);
    assert_place(large - HEAP_IN_FRONT, HEAP_ALLOCATED, HEAP_BEFORE_BLOCK, large, 100 * 1000);
    assert_place(large - HEAP_IN_FRONT - 1, HEAP_ALLOCATED, HEAP_BEHIND_BLOCK, small, 1);
    assert_place(large - 1, HEAP_ALLOCATED, HEAP_BEFORE_BLOCK, large, 100 * 1000);
    assert_place(large + 50 * 1000, HEAP_ALLOCATED, HEAP_IN_BLOCK, large, 100 * 1000);
    assert_place(large + 99999, HEAP_ALLOCATED, HEAP_IN_BLOCK, large, 100 * 1000);
    heap_free((void *)(uintptr_t)last);
    assert_place(last + 7, HEAP_FREED, HEAP_IN_BLOCK, last, 40);
}

static void addresses_outside_are_not_described(void **state)
{
    struct heap_object object;

    (void)state;
    assert_false(heap_describe((uint64_t)(uintptr_t)range, &object));
    (void)heap_alloc(1);
    assert_false(heap_describe((uint64_t)(uintptr_t)range - 1, &object));
    assert_true(heap_describe((uint64_t)(uintptr_t)range + backed - 1, &object));
    assert_int_equal(object.state, HEAP_FREE);
    assert_false(heap_describe((uint64_t)(uintptr_t)range + backed, &object));
    assert_false(heap_describe(0, &object));
    assert_false(heap_describe(UINT64_MAX, &object));
}

static void describing_survives_a_heap_of_rubbish(void **state)
{
    struct heap_object object;

    (void)state;
    for (int i = 0; i < 100; i++)
        (void)heap_alloc(1 + (size_t)i * 7);
    srand(2);
    for (size_t i = 0; i < backed; i++)
        range[i] = (uint8_t)rand();
    for (size_t i = 0; i < backed; i += 13)
        assert_false(heap_describe((uint64_t)(uintptr_t)range + i, &object));
}

/* ---- A long random history ---- */

enum {
    SLOTS = 300,
    OPERATIONS = 30000,
};

struct slot {
    uint8_t *bytes;
    size_t size;
    uint8_t fill;
};

static void assert_filled(const struct slot *slot)
{
    for (size_t i = 0; i < slot->size; i++) {
        if (slot->bytes[i] != slot->fill)
            fail_msg("byte %zu of %zu is 0x%x, not 0x%x", i, slot->size, slot->bytes[i],
                     slot->fill);
    }
}

static void assert_slot_is_described(const struct slot *slot)
{
    struct heap_object object;
    uint64_t inside = (uint64_t)(uintptr_t)slot->bytes + (size_t)rand() % slot->size;

    assert_true(heap_describe(inside, &object));
    assert_ptr_equal(object.start, slot->bytes);
    assert_int_equal(object.size, slot->size);
    assert_int_equal(object.state, HEAP_ALLOCATED);
    assert_int_equal(object.place, HEAP_IN_BLOCK);
}

static void blocks_never_meet_in_a_random_history(void **state)
{
    static struct slot slots[SLOTS];
    size_t in_use = 0, bytes = 0;

    (void)state;
    srand(3);
    room = 8 << 20;
    memset(slots, 0, sizeof slots);
    for (int i = 0; i < OPERATIONS; i++) {
        struct slot *slot = &slots[rand() % SLOTS];

        if (slot->bytes != NULL) {
            assert_filled(slot);
            assert_slot_is_described(slot);
            heap_free(slot->bytes);
            slot->bytes = NULL;
            in_use--;
            bytes -= slot->size;
        } else {
            slot->size = 1 + (size_t)rand() % ((size_t)16 << rand() % 12);
            slot->fill = (uint8_t)rand();
            slot->bytes = heap_alloc(slot->size);
            if (slot->bytes == NULL)
                continue;
            memset(slot->bytes, slot->fill, slot->size);
            in_use++;
            bytes += slot->size;
        }
        assert_int_equal(heap_counts().blocks, in_use);
        assert_int_equal(heap_counts().bytes, bytes);
        assert_int_equal(fake_kernel.locks, 0);
        if (i % 1000 == 0)
            heap_check();
    }
    for (size_t i = 0; i < SLOTS; i++)
        heap_free(slots[i].bytes);
    heap_check();
    release(0);
    heap_check();
    assert_int_equal(blocks_next(NULL)->bytes, backed); /* one block, all of it */
    assert_int_equal(heap_counts().kept_back, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sizes_that_are_none_get_nothing),         CASE(every_size_is_aligned_and_filled),
        CASE(a_freed_block_is_poisoned_and_kept_back), CASE(what_is_kept_back_is_bounded),
        CASE(memory_that_is_short_is_no_block),        CASE(freed_neighbours_become_one_block),
        CASE(any_address_is_described_by_its_block),   CASE(addresses_outside_are_not_described),
        CASE(describing_survives_a_heap_of_rubbish),   CASE(blocks_never_meet_in_a_random_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
