/*
 * ram.c - records in memory that outlives a reset.
 *
 * Reads its own memory through plain loads: the caller has mapped it.  Decides which record makes
 * room; says nothing about when one counts as sent.
 */
#include "ram.h"

#include "memory_functions.h"

/* A slot begins with this (FORMAT.md, "In memory"). */
struct slot_header {
    uint8_t magic[8];
    uint32_t version;
    uint32_t number;
    uint32_t displaced;
    uint32_t record_id;
    uint64_t length; /* of the record, which follows the header */
    uint32_t record_crc;
    uint32_t crc; /* CRC32C of what is before */
    uint8_t reserved[24];
    /* In a cache line of its own, because each is written by itself. */
    uint64_t committed;
    uint64_t sent;
    uint8_t rest[48];
};
_Static_assert(sizeof(struct slot_header) == CRASH_RAM_SLOT_HEADER, "a slot's header");
_Static_assert(offsetof(struct slot_header, committed) == 64, "a cache line of its own");

enum { SLOT_VERSION = 1, SLOT_ALIGNMENT = 64, CRC_UNIT = 4096 };

/* Words that garbage does not hold. */
#define COMMITTED UINT64_C(0x5041525444454b50)
#define SENT      UINT64_C(0x544e455350415254)

static const uint8_t slot_magic[8] = {'T', 'R', 'A', 'P', 'S', 'L', 'O', 'T'};

static size_t slot_size(const struct crash_ram *ram)
{
    return ram->size / CRASH_RAM_SLOTS / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
}

static size_t capacity(const struct crash_ram *ram)
{
    size_t size = slot_size(ram);

    return size > sizeof(struct slot_header) ? size - sizeof(struct slot_header) : 0;
}

static uint8_t *slot_at(const struct crash_ram *ram, unsigned slot)
{
    return ram->window + slot * slot_size(ram);
}

static void flush(const struct crash_ram *ram, const void *start, size_t len)
{
    if (ram->flush != NULL)
        ram->flush(ram->ctx, start, len);
}

/* One aligned word, in one piece, and out of the caches. */
static void write_word(const struct crash_ram *ram, uint8_t *to, uint64_t word)
{
    *(volatile uint64_t *)(void *)to = word;
    flush(ram, to, sizeof word);
}

static bool is_valid(const struct slot_header *header, const uint8_t *bytes, size_t room)
{
    return header->committed == COMMITTED &&
           memcmp(header->magic, slot_magic, sizeof slot_magic) == 0 &&
           header->version == SLOT_VERSION &&
           header->crc == crash_crc32c(0, header, offsetof(struct slot_header, crc)) &&
           header->length <= room &&
           header->record_crc == crash_crc32c(0, bytes, (size_t)header->length);
}

bool crash_ram_read(const struct crash_ram *ram, unsigned slot, struct crash_ram_record *record)
{
    const uint8_t *start = slot_at(ram, slot);
    struct slot_header header;

    if (capacity(ram) == 0)
        return false;
    memcpy(&header, start, sizeof header);
    if (!is_valid(&header, start + sizeof header, capacity(ram)))
        return false;
    *record = (struct crash_ram_record){
        .bytes = start + sizeof header,
        .length = (size_t)header.length,
        .slot = slot,
        .record_id = header.record_id,
        .number = header.number,
        .displaced = header.displaced,
        .sent = header.sent == SENT,
    };
    return true;
}

bool crash_ram_unsent(const struct crash_ram *ram, struct crash_ram_record *record)
{
    struct crash_ram_record found;
    bool any = false;

    for (unsigned slot = 0; slot < CRASH_RAM_SLOTS; slot++) {
        if (!crash_ram_read(ram, slot, &found) || found.sent ||
            (any && found.number > record->number))
            continue;
        *record = found;
        any = true;
    }
    return any;
}

void crash_ram_mark_sent(const struct crash_ram *ram, const struct crash_ram_record *record)
{
    write_word(ram, slot_at(ram, record->slot) + offsetof(struct slot_header, sent), SENT);
}

/* Which of two records makes room?  No record at all, else one that was sent, else the newer. */
static bool makes_room_before(const struct crash_ram_record *a, const struct crash_ram_record *b)
{
    if (a->bytes == NULL || b->bytes == NULL)
        return a->bytes == NULL;
    if (a->sent != b->sent)
        return a->sent;
    return a->sent ? a->number < b->number : a->number > b->number;
}

static void choose_slot(struct crash_ram *ram)
{
    struct crash_ram_record found[CRASH_RAM_SLOTS] = {{.bytes = NULL}};
    const struct crash_ram_record *chosen = &found[0];

    ram->number = 1;
    ram->displaced = 0;
    for (unsigned slot = 0; slot < CRASH_RAM_SLOTS; slot++) {
        if (!crash_ram_read(ram, slot, &found[slot]))
            found[slot] = (struct crash_ram_record){.bytes = NULL};
        found[slot].slot = slot;
        if (found[slot].number >= ram->number)
            ram->number = found[slot].number + 1;
        if (found[slot].displaced > ram->displaced)
            ram->displaced = found[slot].displaced;
        if (makes_room_before(&found[slot], chosen))
            chosen = &found[slot];
    }
    ram->slot = chosen->slot;
    ram->displaced += chosen->bytes != NULL && !chosen->sent;
}

/* From here on the slot holds no record, until it is committed. */
static void begin(struct crash_ram *ram)
{
    uint8_t *slot = slot_at(ram, ram->slot);

    write_word(ram, slot + offsetof(struct slot_header, committed), 0);
    write_word(ram, slot + offsetof(struct slot_header, sent), 0);
}

static bool ram_write(void *ctx, const void *bytes, size_t len)
{
    struct crash_ram *ram = ctx;

    if (ram->length > capacity(ram) || len > capacity(ram) - ram->length)
        return false;
    if (ram->length == 0)
        begin(ram);
    memcpy(slot_at(ram, ram->slot) + sizeof(struct slot_header) + ram->length, bytes, len);
    ram->length += len;
    return true;
}

static bool ram_commit(void *ctx)
{
    struct crash_ram *ram = ctx;
    uint8_t *slot = slot_at(ram, ram->slot), *record = slot + sizeof(struct slot_header);
    struct slot_header header = {
        .version = SLOT_VERSION,
        .number = ram->number,
        .displaced = ram->displaced,
        .length = ram->length,
    };

    if (ram->length < sizeof(struct crash_header))
        return false;
    memcpy(header.magic, slot_magic, sizeof slot_magic);
    memcpy(&header.record_id, record + offsetof(struct crash_header, record_id),
           sizeof header.record_id);
    header.record_crc = crash_crc32c(0, record, ram->length);
    header.crc = crash_crc32c(0, &header, offsetof(struct slot_header, crc));
    flush(ram, record, ram->length);
    memcpy(slot, &header, offsetof(struct slot_header, committed));
    flush(ram, slot, offsetof(struct slot_header, committed));
    write_word(ram, slot + offsetof(struct slot_header, committed), COMMITTED);
    return true;
}

void crash_ram_init(struct crash_ram *ram, struct crash_sink *sink)
{
    choose_slot(ram);
    ram->length = 0;
    *sink = (struct crash_sink){.ctx = ram, .write = ram_write, .commit = ram_commit};
}
