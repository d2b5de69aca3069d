/*
 * ram.h - a sink in memory that outlives a reset: two slots, each with one record.
 *
 * Works on any window of memory that the caller gives, and believes nothing that is in it: garbage
 * at power-on is no record.  A record becomes valid with the last word that is written, and what
 * must be in memory before that has been flushed there.
 *
 * The rule of a crash loop: a record stays until it was sent (crash_ram_mark_sent).  If neither
 * slot is free, the newer record makes room: the first one is kept, and the last.
 */
#ifndef CRASHDUMP_RAM_H
#define CRASHDUMP_RAM_H

#include "crashdump.h"

enum crash_ram_limits {
    CRASH_RAM_SLOTS = 2,
    CRASH_RAM_SLOT_HEADER = 128, /* bytes before a slot's record */
};

struct crash_ram {
    /* The caller's: the memory, aligned to 64, and how it leaves the caches.  `flush` may be NULL:
     * then there are none. */
    uint8_t *window;
    size_t size;
    void *ctx;
    void (*flush)(void *ctx, const void *start, size_t len);
    /* Private: the record that is being written. */
    unsigned slot;
    uint32_t number, displaced;
    size_t length;
};

/* A record that is in the memory. */
struct crash_ram_record {
    const uint8_t *bytes;
    size_t length;
    unsigned slot;
    uint32_t record_id;
    uint32_t number;    /* 1 for the first since the memory lost its contents */
    uint32_t displaced; /* records that have made room for it or earlier ones, and were not sent */
    bool sent;
};

/* What is in that slot?  False if there is no record, or a damaged one. */
bool crash_ram_read(const struct crash_ram *ram, unsigned slot, struct crash_ram_record *record);

/* The oldest record that was not sent.  False if there is none. */
bool crash_ram_unsent(const struct crash_ram *ram, struct crash_ram_record *record);

/* The record has reached somebody: from now on its slot may be used again. */
void crash_ram_mark_sent(const struct crash_ram *ram, const struct crash_ram_record *record);

/* Make `sink` write a record into the slot that the rule above gives.  Nothing is changed before
 * the first byte.  The slot is ram->slot. */
void crash_ram_init(struct crash_ram *ram, struct crash_sink *sink);

#endif
