/*
 * test_crashdump_ram.c - records in memory that outlives resets: what a reset at any moment, a
 * cache that was not written back, and destroyed cells leave of them.
 *
 * The memory here has a cache before it: what was not flushed is lost or kept cell by cell, as it
 * happens to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crashdump/ram.h"

enum {
    WINDOW_BYTES = 4096,
    CELL_BYTES = 8,
    CELLS = WINDOW_BYTES / CELL_BYTES,
    LIVES = 4000, /* power-ons; in each, BOOTS resets */
    BOOTS = 6,
    DESTROYED = 20000,
    MOST_RECORDS = BOOTS + 1,
    SHORTEST = sizeof(struct crash_header),
    LONGEST = 1500,
    NO_RESET = -1,
};

/* A record that was written, wholly or in part. */
struct written {
    uint8_t bytes[LONGEST];
    size_t length;
    bool committed, sent;
};

static struct {
    uint64_t cached[CELLS], stored[CELLS];
    int steps_left; /* until the reset, or NO_RESET */
    jmp_buf reset;
    struct written records[MOST_RECORDS];
    size_t count;
} machine;

static struct crash_ram ram;

static void step(void)
{
    if (machine.steps_left != NO_RESET && machine.steps_left-- == 0)
        longjmp(machine.reset, 1);
}

/* A reset comes before the flush, or after it. */
static void flush(void *ctx, const void *start, size_t len)
{
    size_t first = (size_t)((const uint8_t *)start - (const uint8_t *)machine.cached) / CELL_BYTES;
    size_t last = first + (len + CELL_BYTES - 1) / CELL_BYTES;

    (void)ctx;
    step();
    for (size_t cell = first; cell < last && cell < CELLS; cell++)
        machine.stored[cell] = machine.cached[cell];
    step();
}

static void power_on(void)
{
    memset(&machine, 0, sizeof machine);
    machine.steps_left = NO_RESET;
    for (size_t cell = 0; cell < CELLS; cell++)
        machine.cached[cell] = machine.stored[cell] =
            rand() % 2 ? 0 : (uint64_t)rand() << 33 ^ (uint64_t)rand();
    ram = (struct crash_ram){
        .window = (uint8_t *)machine.cached, .size = WINDOW_BYTES, .flush = flush};
}

/* What was not flushed may be in memory, or not. */
static void reset(void)
{
    for (size_t cell = 0; cell < CELLS; cell++) {
        if (rand() % 2)
            machine.stored[cell] = machine.cached[cell];
        machine.cached[cell] = machine.stored[cell];
    }
    machine.steps_left = NO_RESET;
}

static struct written *make_record(void)
{
    struct written *record = &machine.records[machine.count++];

    record->length = SHORTEST + (size_t)rand() % (LONGEST - SHORTEST);
    record->committed = record->sent = false;
    for (size_t i = 0; i < record->length; i++)
        record->bytes[i] = (uint8_t)rand();
    return record;
}

/* Returns what the sink said. */
static bool write_record(const struct written *record)
{
    struct crash_sink sink;

    crash_ram_init(&ram, &sink);
    for (size_t done = 0; done < record->length;) {
        size_t part = 1 + (size_t)rand() % 300;

        part = part < record->length - done ? part : record->length - done;
        if (!sink.write(sink.ctx, record->bytes + done, part))
            return false;
        done += part;
        step();
    }
    return sink.commit(sink.ctx);
}

static struct written *recognise(const struct crash_ram_record *found)
{
    for (size_t i = 0; i < machine.count; i++) {
        struct written *record = &machine.records[i];

        if (record->length == found->length &&
            memcmp(record->bytes, found->bytes, found->length) == 0)
            return record;
    }
    return NULL;
}

static struct written *first_unsent(void)
{
    for (size_t i = 0; i < machine.count; i++)
        if (machine.records[i].committed && !machine.records[i].sent)
            return &machine.records[i];
    return NULL;
}

/* Whatever is found was written, to the byte; a record whose reset came late may be there. */
static void check_slots(void)
{
    for (unsigned slot = 0; slot < CRASH_RAM_SLOTS; slot++) {
        struct crash_ram_record found;
        struct written *record;

        if (!crash_ram_read(&ram, slot, &found))
            continue;
        record = recognise(&found);
        assert_non_null(record);
        record->committed = true;
        assert_int_equal(found.sent, record->sent);
    }
}

static void check_first_is_kept(void)
{
    const struct written *first = first_unsent();
    struct crash_ram_record found;
    bool any = crash_ram_unsent(&ram, &found);

    assert_int_equal(any, first != NULL);
    if (any)
        assert_ptr_equal(recognise(&found), first);
}

static void crash(int steps)
{
    struct written *record = make_record();

    machine.steps_left = steps;
    if (setjmp(machine.reset) == 0) {
        record->committed = write_record(record);
        assert_true(record->committed);
    }
    reset();
}

/* The records that make room are not looked for any more. */
static void forget_displaced(const struct written *first)
{
    for (size_t i = 0; i < machine.count; i++) {
        struct written *record = &machine.records[i];
        bool there = record == first;

        for (unsigned slot = 0; slot < CRASH_RAM_SLOTS; slot++) {
            struct crash_ram_record found;

            there = there || (crash_ram_read(&ram, slot, &found) && recognise(&found) == record);
        }
        record->committed = record->committed && there;
    }
}

static void send_first(void)
{
    struct crash_ram_record found;

    if (!crash_ram_unsent(&ram, &found))
        return;
    recognise(&found)->sent = true;
    crash_ram_mark_sent(&ram, &found);
}

static void a_reset_at_any_moment_costs_no_record_but_the_one_being_written(void **state)
{
    (void)state;
    srand(1);
    for (int life = 0; life < LIVES; life++) {
        power_on();
        check_slots(); /* garbage is no record */
        for (int boot = 0; boot < BOOTS; boot++) {
            const struct written *first = first_unsent();

            crash(rand() % 4 == 0 ? NO_RESET : rand() % 24);
            check_slots();
            forget_displaced(first);
            check_first_is_kept();
            if (rand() % 3 == 0)
                send_first();
        }
    }
}

static void destroyed_cells_cost_the_record_and_give_no_wrong_one(void **state)
{
    (void)state;
    srand(2);
    power_on();
    crash(NO_RESET);
    crash(NO_RESET);
    for (int i = 0; i < DESTROYED; i++) {
        uint64_t before[CELLS];
        int cells = 1 + rand() % 4;

        memcpy(before, machine.cached, sizeof before);
        while (cells-- > 0)
            machine.cached[rand() % CELLS] ^= UINT64_C(1) << rand() % 64;
        check_slots();
        memcpy(machine.cached, before, sizeof before);
    }
}

static void the_first_record_of_a_loop_is_kept_and_the_last(void **state)
{
    struct crash_ram_record found;

    (void)state;
    power_on();
    for (int i = 0; i < 5; i++)
        crash(NO_RESET);
    assert_true(crash_ram_unsent(&ram, &found));
    assert_ptr_equal(recognise(&found), &machine.records[0]);
    assert_int_equal(found.number, 1);
    send_first();
    assert_true(crash_ram_unsent(&ram, &found));
    assert_ptr_equal(recognise(&found), &machine.records[4]);
    assert_int_equal(found.number, 5);
    assert_int_equal(found.displaced, 3);
    send_first();
    assert_false(crash_ram_unsent(&ram, &found));
}

static void a_record_that_was_sent_makes_room_before_one_that_was_not(void **state)
{
    struct crash_ram_record found;

    (void)state;
    power_on();
    crash(NO_RESET);
    send_first();
    crash(NO_RESET);
    crash(NO_RESET);
    assert_true(crash_ram_unsent(&ram, &found));
    assert_ptr_equal(recognise(&found), &machine.records[1]);
    assert_int_equal(found.displaced, 0);
}

static void a_record_that_does_not_fit_is_refused(void **state)
{
    static const uint8_t bytes[WINDOW_BYTES];
    struct crash_sink sink;

    (void)state;
    power_on();
    crash_ram_init(&ram, &sink);
    assert_false(sink.write(sink.ctx, bytes, SIZE_MAX));
    assert_false(sink.write(sink.ctx, bytes, WINDOW_BYTES / 2 - CRASH_RAM_SLOT_HEADER + 1));
    assert_true(sink.write(sink.ctx, bytes, WINDOW_BYTES / 2 - CRASH_RAM_SLOT_HEADER));
    assert_false(sink.write(sink.ctx, bytes, 1));
    assert_true(sink.commit(sink.ctx));
}

static void too_little_memory_holds_nothing(void **state)
{
    struct crash_ram_record found;
    struct crash_sink sink;

    (void)state;
    power_on();
    ram.size = 2 * CRASH_RAM_SLOT_HEADER;
    crash_ram_init(&ram, &sink);
    assert_false(sink.write(sink.ctx, "x", 1));
    assert_false(sink.commit(sink.ctx));
    assert_false(crash_ram_read(&ram, 0, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_at_any_moment_costs_no_record_but_the_one_being_written),
        cmocka_unit_test(destroyed_cells_cost_the_record_and_give_no_wrong_one),
        cmocka_unit_test(the_first_record_of_a_loop_is_kept_and_the_last),
        cmocka_unit_test(a_record_that_was_sent_makes_room_before_one_that_was_not),
        cmocka_unit_test(a_record_that_does_not_fit_is_refused),
        cmocka_unit_test(too_little_memory_holds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
