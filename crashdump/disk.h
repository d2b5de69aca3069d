/*
 * disk.h - a sink on a disk that is kept for crash records: one after the other, none overwritten.
 *
 * Works on anything that reads and writes blocks of 512 bytes.  Refuses a disk that is neither
 * blank nor labelled as ours (FORMAT.md, "On a disk"): somebody else's data may be on it.
 */
#ifndef CRASHDUMP_DISK_H
#define CRASHDUMP_DISK_H

#include "crashdump.h"

enum crash_disk_limits {
    CRASH_BLOCK_BYTES = 512,
    CRASH_DISK_BUFFER = 32 * 1024, /* written at a time: a multiple of CRASH_BLOCK_BYTES */
};

enum crash_disk_state {
    CRASH_DISK_READY,
    CRASH_DISK_FULL,    /* no block is left for a record */
    CRASH_DISK_FOREIGN, /* there is something on it that is not ours */
    CRASH_DISK_DEAD,    /* it cannot be read */
};

struct crash_disk {
    /* The caller's.  Both poll, for a bounded time.  `bytes` lies in `buffer`. */
    void *ctx;
    uint64_t blocks; /* how many there are */
    bool (*read)(void *ctx, uint64_t block, void *bytes, size_t len);
    bool (*write)(void *ctx, uint64_t block, const void *bytes, size_t len);
    /* Private from here on. */
    uint64_t next;   /* the block where the buffer goes */
    uint32_t number; /* of the record */
    size_t fill;
    uint8_t buffer[CRASH_DISK_BUFFER] __attribute__((aligned(4096)));
};

/* What is on the disk, and where does the next record go?  Changes nothing there. */
enum crash_disk_state crash_disk_open(struct crash_disk *disk);

/* Make `sink` write a record to a disk that is ready. */
void crash_disk_init(struct crash_disk *disk, struct crash_sink *sink);

/* How many records the disk holds, after crash_disk_open(). */
uint32_t crash_disk_records(const struct crash_disk *disk);

#endif
