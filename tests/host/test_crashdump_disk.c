/*
 * test_crashdump_disk.c - records on a disk: one behind the other, on nobody else's disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crashdump/disk.h"

enum { BLOCKS = 512, RECORD_BYTES = 70001, FIRST_BLOCK = 8 };

static struct {
    uint8_t bytes[BLOCKS * CRASH_BLOCK_BYTES];
    int writes_left; /* -1: no limit */
    bool unreadable;
    bool unwinds; /* the next write ends in `unwound`, its bytes written or not */
} media;
static jmp_buf unwound;

static struct crash_disk disk;
static struct crash_sink sink;
static uint8_t record[RECORD_BYTES];

static bool is_inside(uint64_t block, size_t len)
{
    return len % CRASH_BLOCK_BYTES == 0 && block <= BLOCKS &&
           len / CRASH_BLOCK_BYTES <= BLOCKS - block;
}

static bool read_blocks(void *ctx, uint64_t block, void *bytes, size_t len)
{
    (void)ctx;
    assert_true(is_inside(block, len));
    memcpy(bytes, media.bytes + block * CRASH_BLOCK_BYTES, len);
    return !media.unreadable;
}

static bool write_blocks(void *ctx, uint64_t block, const void *bytes, size_t len)
{
    (void)ctx;
    assert_true(is_inside(block, len));
    if (media.writes_left == 0)
        return false;
    media.writes_left -= media.writes_left > 0;
    if (media.unwinds) {
        media.unwinds = false;
        longjmp(unwound, 1);
    }
    memcpy(media.bytes + block * CRASH_BLOCK_BYTES, bytes, len);
    return true;
}

static int set_up(void **state)
{
    (void)state;
    memset(&media, 0, sizeof media);
    media.writes_left = -1;
    memset(&disk, 0, sizeof disk);
    disk.blocks = BLOCKS;
    disk.read = read_blocks;
    disk.write = write_blocks;
    for (size_t i = 0; i < sizeof record; i++)
        record[i] = (uint8_t)(i * 31 + i / 251 + 1);
    return 0;
}

static bool write_record(size_t len, size_t part)
{
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_READY);
    crash_disk_init(&disk, &sink);
    for (size_t done = 0; done < len; done += part)
        if (!sink.write(sink.ctx, record + done, len - done < part ? len - done : part))
            return false;
    return sink.commit(sink.ctx);
}

static void a_record_begins_at_the_first_block_for_records(void **state)
{
    (void)state;
    for (size_t part = 1; part < RECORD_BYTES; part = part * 3 + 1) {
        set_up(NULL);
        assert_true(write_record(RECORD_BYTES, part));
        assert_memory_equal(media.bytes + FIRST_BLOCK * CRASH_BLOCK_BYTES, record, RECORD_BYTES);
        assert_memory_equal(media.bytes, "TRAPDISK", 8);
    }
}

static void records_follow_each_other(void **state)
{
    (void)state;
    assert_true(write_record(513, 100));
    assert_true(write_record(512, 512));
    assert_true(write_record(1000, 1000));
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_READY);
    assert_int_equal(crash_disk_records(&disk), 3);
    assert_memory_equal(media.bytes + FIRST_BLOCK * 512, record, 513);
    assert_memory_equal(media.bytes + (FIRST_BLOCK + 2) * 512, record, 512);
    assert_memory_equal(media.bytes + (FIRST_BLOCK + 3) * 512, record, 1000);
}

static void a_record_that_was_not_finished_counts_for_nothing(void **state)
{
    (void)state;
    assert_true(write_record(600, 600));
    for (int writes = 0; writes < 3; writes++) {
        media.writes_left = writes;
        assert_false(write_record(RECORD_BYTES, 5000));
        media.writes_left = -1;
        assert_int_equal(crash_disk_open(&disk), CRASH_DISK_READY);
        assert_int_equal(crash_disk_records(&disk), 1);
        assert_int_equal(disk.next, FIRST_BLOCK + 2);
        assert_memory_equal(media.bytes + FIRST_BLOCK * 512, record, 600);
    }
}

static void who_unwinds_out_of_a_write_and_goes_on_loses_nothing(void **state)
{
    static volatile size_t done, unwinds;

    (void)state;
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_READY);
    crash_disk_init(&disk, &sink);
    for (done = 0, unwinds = 0; done < RECORD_BYTES; done += CRASH_BLOCK_BYTES) {
        media.unwinds = true;
        unwinds += setjmp(unwound) != 0;
        assert_true(sink.write(sink.ctx, record + done,
                               RECORD_BYTES - done < CRASH_BLOCK_BYTES ? RECORD_BYTES - done
                                                                       : CRASH_BLOCK_BYTES));
    }
    media.unwinds = false;
    assert_true(sink.commit(sink.ctx));
    assert_in_range(unwinds, 2, RECORD_BYTES);
    assert_memory_equal(media.bytes + FIRST_BLOCK * CRASH_BLOCK_BYTES, record, RECORD_BYTES);
}

static void a_full_disk_refuses_and_keeps_what_it_has(void **state)
{
    static uint8_t before[sizeof media.bytes];

    (void)state;
    while (crash_disk_open(&disk) == CRASH_DISK_READY) {
        memcpy(before, media.bytes, sizeof before);
        if (!write_record(RECORD_BYTES, 3000))
            break;
    }
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_READY);
    assert_int_equal(crash_disk_records(&disk), 3);
    assert_memory_equal(media.bytes, before, disk.next * CRASH_BLOCK_BYTES);
    assert_true(write_record((BLOCKS - disk.next) * CRASH_BLOCK_BYTES, 1000));
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_FULL);
}

static void a_disk_of_somebody_elses_is_left_alone(void **state)
{
    (void)state;
    media.bytes[510] = 0x55;
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_FOREIGN);
    set_up(NULL);
    assert_true(write_record(600, 600));
    media.bytes[12] ^= 1; /* a label that is damaged is not believed */
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_FOREIGN);
}

static void a_disk_that_cannot_be_read_is_dead(void **state)
{
    (void)state;
    media.unreadable = true;
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_DEAD);
}

static void a_disk_without_room_for_a_record_is_full(void **state)
{
    (void)state;
    disk.blocks = FIRST_BLOCK;
    assert_int_equal(crash_disk_open(&disk), CRASH_DISK_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_record_begins_at_the_first_block_for_records, set_up),
        cmocka_unit_test_setup(records_follow_each_other, set_up),
        cmocka_unit_test_setup(a_record_that_was_not_finished_counts_for_nothing, set_up),
        cmocka_unit_test_setup(who_unwinds_out_of_a_write_and_goes_on_loses_nothing, set_up),
        cmocka_unit_test_setup(a_full_disk_refuses_and_keeps_what_it_has, set_up),
        cmocka_unit_test_setup(a_disk_of_somebody_elses_is_left_alone, set_up),
        cmocka_unit_test_setup(a_disk_that_cannot_be_read_is_dead, set_up),
        cmocka_unit_test_setup(a_disk_without_room_for_a_record_is_full, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
