/*
 * disk.c - records on a disk of their own.
 *
 * The first block is a label that says where the next record goes; writing it again is what makes a
 * record valid.  A record that was never finished is overwritten by the next one.
 */
#include "disk.h"

#include "memory_functions.h"

/* The first block. */
struct disk_label {
    uint8_t magic[8];
    uint32_t version;
    uint32_t records;
    uint64_t next; /* block of the next record */
    uint32_t reserved;
    uint32_t crc; /* CRC32C of what is before */
};
_Static_assert(sizeof(struct disk_label) == 32, "a disk's label");
_Static_assert(CRASH_DISK_BUFFER % CRASH_BLOCK_BYTES == 0, "whole blocks");

enum { LABEL_BLOCK = 0, FIRST_RECORD = 8, LABEL_VERSION = 1 };

static const uint8_t label_magic[8] = {'T', 'R', 'A', 'P', 'D', 'I', 'S', 'K'};

static bool is_blank(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static bool is_ours(const struct disk_label *label)
{
    return memcmp(label->magic, label_magic, sizeof label_magic) == 0 &&
           label->version == LABEL_VERSION && label->next >= FIRST_RECORD &&
           label->crc == crash_crc32c(0, label, offsetof(struct disk_label, crc));
}

enum crash_disk_state crash_disk_open(struct crash_disk *disk)
{
    struct disk_label label;

    disk->number = 0;
    disk->next = FIRST_RECORD;
    if (!disk->read(disk->ctx, LABEL_BLOCK, disk->buffer, CRASH_BLOCK_BYTES))
        return CRASH_DISK_DEAD;
    memcpy(&label, disk->buffer, sizeof label);
    if (is_ours(&label)) {
        disk->number = label.records;
        disk->next = label.next;
    } else if (!is_blank(disk->buffer, CRASH_BLOCK_BYTES)) {
        return CRASH_DISK_FOREIGN;
    }
    return disk->next < disk->blocks ? CRASH_DISK_READY : CRASH_DISK_FULL;
}

uint32_t crash_disk_records(const struct crash_disk *disk)
{
    return disk->number;
}

/* Write what is in the buffer, filled up with zeros to whole blocks.  It stays there until it has
 * been written: who unwinds out of write(), and goes on, loses nothing. */
static bool write_out(struct crash_disk *disk)
{
    size_t len = (disk->fill + CRASH_BLOCK_BYTES - 1) / CRASH_BLOCK_BYTES * CRASH_BLOCK_BYTES;
    uint64_t blocks = len / CRASH_BLOCK_BYTES;

    memset(disk->buffer + disk->fill, 0, len - disk->fill);
    if (disk->next >= disk->blocks || blocks > disk->blocks - disk->next ||
        !disk->write(disk->ctx, disk->next, disk->buffer, len))
        return false;
    disk->next += blocks;
    disk->fill = 0;
    return true;
}

static bool disk_write(void *ctx, const void *bytes, size_t len)
{
    struct crash_disk *disk = ctx;
    const uint8_t *from = bytes;

    while (len > 0) {
        if (disk->fill == CRASH_DISK_BUFFER && !write_out(disk))
            return false;
        size_t room = CRASH_DISK_BUFFER - disk->fill, part = len < room ? len : room;

        memcpy(disk->buffer + disk->fill, from, part);
        disk->fill += part;
        from += part;
        len -= part;
    }
    return true;
}

static bool disk_commit(void *ctx)
{
    struct crash_disk *disk = ctx;
    struct disk_label label = {.version = LABEL_VERSION, .records = disk->number + 1};

    if (disk->fill > 0 && !write_out(disk))
        return false;
    memcpy(label.magic, label_magic, sizeof label_magic);
    label.next = disk->next;
    label.crc = crash_crc32c(0, &label, offsetof(struct disk_label, crc));
    memset(disk->buffer, 0, CRASH_BLOCK_BYTES);
    memcpy(disk->buffer, &label, sizeof label);
    return disk->write(disk->ctx, LABEL_BLOCK, disk->buffer, CRASH_BLOCK_BYTES);
}

void crash_disk_init(struct crash_disk *disk, struct crash_sink *sink)
{
    disk->fill = 0;
    *sink = (struct crash_sink){.ctx = disk, .write = disk_write, .commit = disk_commit};
}
