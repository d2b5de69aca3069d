/*
 * crashdump.h - write a crash record: the writer, the sinks it feeds, the source it reads.
 *
 * Freestanding C11; knows no processor and no kernel.  Runs after the kernel has failed: no
 * allocation, no lock, no wait, stack use below 1 KiB.  What the caller passes in may be rubbish:
 * memory is only read through the source, which does not fault.
 *
 *     crash_begin -> crash_section / crash_section_begin..append/memory..end -> crash_end
 */
#ifndef CRASHDUMP_CRASHDUMP_H
#define CRASHDUMP_CRASHDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

/*
 * Where a record goes: a serial line, reserved memory, a disk.
 *
 * Polls, waits a bounded time at most, allocates nothing, takes no lock.  Once write() has
 * refused, the writer drops the rest of the record for this sink and never commits it.
 */
struct crash_sink {
    void *ctx;
    /* Append bytes to the record.  False if they did not all fit or could not be sent. */
    bool (*write)(void *ctx, const void *bytes, size_t len);
    /* The record is complete: the one moment at which it becomes valid.  NULL: nothing to do.
     * False if it could not be made valid. */
    bool (*commit)(void *ctx);
};

/* Where memory comes from. */
struct crash_source {
    void *ctx;
    /* Copy without faulting; returns the bytes copied before the first bad address. */
    size_t (*read_memory)(void *ctx, uint64_t addr, void *buf, size_t len);
    /* How many of the `len` bytes from `addr` on (at least one) are alike: all of them secret, or
     * none; *secret says which.  Secret memory is listed and not stored.  NULL: nothing is. */
    size_t (*classify)(void *ctx, uint64_t addr, size_t len, bool *secret);
};

enum crash_limits {
    CRASH_PAYLOAD_BYTES = 20 * 1024,       /* longest payload of one section: more is truncated */
    CRASH_MEMORY_BYTES = 16 * 1024 * 1024, /* longest range of memory: the rest is cut off */
    CRASH_UNIT_BYTES = 512,                /* memory is read and stored in units of this size */
    CRASH_DIRECTORY_SECTIONS = 64,         /* section headers that ENDS can repeat */
    CRASH_COMPRESS_LEAST = 512,            /* shorter payloads are stored as they are */
    CRASH_COMPRESS_TABLE = 1 << 11,        /* places that compression remembers */
};

/* What compression needs: a place for the result, and for where byte sequences were seen last. */
struct crash_compressor {
    uint16_t seen[CRASH_COMPRESS_TABLE];
    uint8_t packed[CRASH_PAYLOAD_BYTES];
};

/* Compress `len` bytes, at most CRASH_PAYLOAD_BYTES, into compressor->packed (FORMAT.md,
 * "Compression").  Returns their number there, or 0 if they would not become fewer. */
size_t crash_compress(struct crash_compressor *compressor, const uint8_t *bytes, size_t len);

/* A record being written.  The caller owns the memory; the fields are private. */
struct crash_writer {
    const struct crash_sink *sink;
    const struct crash_source *source;
    bool refused; /* the sink has said no */
    bool open;    /* between section_begin and section_end */
    uint32_t section_count, faulted;
    uint32_t sections_crc; /* running CRC32C over the sections' crc fields */
    uint64_t length;       /* bytes given to the sink */
    struct crash_section_header section;
    struct crash_section_header directory[CRASH_DIRECTORY_SECTIONS];
    size_t payload_length;
    uint8_t payload[CRASH_PAYLOAD_BYTES];
    struct crash_compressor *compressor; /* NULL: payloads are stored as they are */
};

/* Start a record.  The caller fills in boot_id, build_id, sequence, machine, cpu_count and flags
 * of `header`; the rest (magic, versions, record id, CRC) is filled in here.  `source` may be NULL:
 * then all memory is a hole. */
void crash_begin(struct crash_writer *writer, const struct crash_sink *sink,
                 const struct crash_source *source, struct crash_header *header);

/* From the next section on, store payloads compressed where that makes them shorter; NULL: no
 * longer.  Of a compressed section, a lost byte costs all that follows it. */
void crash_use_compressor(struct crash_writer *writer, struct crash_compressor *compressor);

/* One section whose payload is at hand; `tag` is CRASH_TAG(...). */
void crash_section(struct crash_writer *writer, uint32_t tag, uint64_t address, const void *payload,
                   size_t len);

/* A section in pieces.  Nothing reaches the sink before _end, so a caller that has unwound out of
 * a fault calls _end with faulted = true, and what was gathered so far is kept.  A section that is
 * still open when the next one begins ends as faulted; pieces outside a section are dropped. */
void crash_section_begin(struct crash_writer *writer, uint32_t tag, uint64_t address);
void crash_append(struct crash_writer *writer, const void *bytes, size_t len);
/* Append memory [addr, addr + len) as struct crash_unit pieces: what cannot be read becomes a hole,
 * what is zero costs a header only.  Returns true if there was no hole and nothing was cut off. */
bool crash_append_memory(struct crash_writer *writer, uint64_t addr, uint64_t len);
/* All of [addr, addr + len), in as many sections as that takes.  The first is the one that is open,
 * if it has the tag and nothing in it; the last stays open. */
void crash_memory(struct crash_writer *writer, uint32_t tag, uint64_t addr, uint64_t len);
void crash_section_end(struct crash_writer *writer, bool faulted);

/* Write ENDS and commit.  True if the sink took every byte and committed. */
bool crash_end(struct crash_writer *writer, uint64_t time_used_us);

/* CRC32C (Castagnoli, reflected) of `len` bytes, continuing from `crc`; start with 0. */
uint32_t crash_crc32c(uint32_t crc, const void *bytes, size_t len);

/* The name by which a record's lines are told from another's: from sequence, boot id, build id. */
uint32_t crash_record_id(const struct crash_header *header);

enum crash_line_limits {
    CRASH_LINE_BYTES = 96,              /* record bytes on one line */
    CRASH_LINE_CHARACTERS = 192,        /* longest line, with its line ends */
    CRASH_LINES_RECORD = (1 << 24) - 1, /* longest record that lines can carry */
    CRASH_LINES_VERSION = 1,            /* of the lines' format: readers refuse a higher one */
    CRASH_PARITY_GROUPS = 4,            /* lines that may be lost in a row */
    CRASH_PARITY_LINES = 16,            /* of one group: one lost of them can be restored */
};

/* What restores one lost line of a group: every fourth line, sixteen of them at most. */
struct crash_parity {
    uint8_t bytes[CRASH_LINE_BYTES]; /* all lines of the group, combined by exclusive or */
    uint8_t lines;                   /* how many */
    uint8_t last_length;             /* bytes of the last one */
};

/*
 * A sink that turns a record into self-describing lines of text between ordinary console output
 * (FORMAT.md, "On a serial line").  `print` takes whole lines; false if the line is dead.
 */
struct crash_lines {
    void *ctx;
    bool (*print)(void *ctx, const char *text, size_t len);
    /* Private from here on. */
    bool dead; /* print has refused: nothing is printed any more */
    uint32_t record_id;
    uint32_t length; /* bytes of the record so far */
    size_t fill;     /* of them, not yet printed: in `line` */
    uint8_t line[CRASH_LINE_BYTES];
    uint32_t stripe; /* offset of the first line that `parity` is about */
    struct crash_parity parity[CRASH_PARITY_GROUPS];
};

/* Make `sink` write lines through `lines`, whose ctx and print the caller has set. */
void crash_lines_init(struct crash_lines *lines, struct crash_sink *sink, uint32_t record_id);

#endif
