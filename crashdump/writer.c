/*
 * writer.c - gather sections, give them to the sink with their headers and checksums.
 *
 * Decides nothing about what is recorded or in which order: that is the caller's.  Refuses to go
 * on with a sink that has refused, and to commit a record of which a byte is missing.
 */
#include "crashdump.h"
#include "memory_functions.h"

enum { SECTION_ALIGNMENT = 8, TAG_LENGTH = 4 };

struct section_version {
    char tag[TAG_LENGTH + 1];
    uint16_t version;
};

static const struct section_version section_versions[] = {
#define SECTION(tag, version, what) {#tag, version},
#include "sections.def"
#undef SECTION
};

/* A tag of the caller's own has version 1. */
static uint16_t version_of(uint32_t tag)
{
    for (size_t i = 0; i < sizeof section_versions / sizeof section_versions[0]; i++)
        if (memcmp(section_versions[i].tag, &tag, TAG_LENGTH) == 0)
            return section_versions[i].version;
    return 1;
}

static void emit(struct crash_writer *writer, const void *bytes, size_t len)
{
    if (writer->refused || len == 0)
        return;
    writer->refused = !writer->sink->write(writer->sink->ctx, bytes, len);
    if (!writer->refused)
        writer->length += len;
}

uint32_t crash_record_id(const struct crash_header *header)
{
    uint32_t crc = crash_crc32c(0, &header->sequence, sizeof header->sequence);

    crc = crash_crc32c(crc, header->boot_id, sizeof header->boot_id);
    return crash_crc32c(crc, header->build_id, sizeof header->build_id);
}

void crash_begin(struct crash_writer *writer, const struct crash_sink *sink,
                 const struct crash_source *source, struct crash_header *header)
{
    memset(writer, 0, sizeof *writer);
    writer->sink = sink;
    writer->source = source;

    memcpy(header->magic, CRASH_MAGIC, CRASH_MAGIC_BYTES);
    header->major = CRASH_FORMAT_MAJOR;
    header->minor = CRASH_FORMAT_MINOR;
    header->header_length = sizeof *header;
    header->record_id = crash_record_id(header);
    memset(header->reserved, 0, sizeof header->reserved);
    header->crc = crash_crc32c(0, header, offsetof(struct crash_header, crc));
    emit(writer, header, sizeof *header);
}

void crash_use_compressor(struct crash_writer *writer, struct crash_compressor *compressor)
{
    writer->compressor = compressor;
}

/* How many sections with this tag came before.  Of more than the directory holds, those count that
 * follow each other. */
static uint32_t index_of(const struct crash_writer *writer, uint32_t tag)
{
    uint32_t index = 0;

    if (writer->section.tag == tag)
        return writer->section.index + 1;
    for (size_t i = 0; i < writer->section_count && i < CRASH_DIRECTORY_SECTIONS; i++)
        index += writer->directory[i].tag == tag;
    return index;
}

void crash_section_begin(struct crash_writer *writer, uint32_t tag, uint64_t address)
{
    crash_section_end(writer, true);
    writer->section = (struct crash_section_header){
        .tag = tag,
        .version = version_of(tag),
        .address = address,
        .index = index_of(writer, tag),
    };
    writer->payload_length = 0;
    writer->open = true;
}

void crash_append(struct crash_writer *writer, const void *bytes, size_t len)
{
    size_t room = CRASH_PAYLOAD_BYTES - writer->payload_length;

    if (!writer->open || len == 0)
        return;
    if (len > room || bytes == NULL) {
        writer->section.flags |= CRASH_SECTION_TRUNCATED;
        len = bytes == NULL ? 0 : room;
    }
    if (len > 0)
        memcpy(writer->payload + writer->payload_length, bytes, len);
    writer->payload_length += len;
}

/* Remember a finished section for ENDS. */
static void enter_in_directory(struct crash_writer *writer)
{
    const struct crash_section_header *section = &writer->section;

    if (writer->section_count < CRASH_DIRECTORY_SECTIONS)
        writer->directory[writer->section_count] = *section;
    writer->section_count++;
    writer->faulted += (section->flags & CRASH_SECTION_FAULTED) != 0;
    writer->sections_crc = crash_crc32c(writer->sections_crc, &section->crc, sizeof section->crc);
}

/* The payload as it will be stored: compressed if that pays. */
static const uint8_t *stored_payload(struct crash_writer *writer)
{
    struct crash_section_header *section = &writer->section;
    size_t len = writer->payload_length, packed = 0;

    if (writer->compressor != NULL && len >= CRASH_COMPRESS_LEAST)
        packed = crash_compress(writer->compressor, writer->payload, len);
    section->raw_length = (uint32_t)len;
    section->stored_length = (uint32_t)(packed > 0 ? packed : len);
    if (packed == 0)
        return writer->payload;
    section->flags |= CRASH_SECTION_COMPRESSED;
    return writer->compressor->packed;
}

void crash_section_end(struct crash_writer *writer, bool faulted)
{
    static const uint8_t padding[SECTION_ALIGNMENT];
    struct crash_section_header *section = &writer->section;
    const uint8_t *stored;
    size_t len;

    if (!writer->open)
        return;
    writer->open = false;
    if (faulted)
        section->flags |= CRASH_SECTION_FAULTED;
    stored = stored_payload(writer);
    len = section->stored_length;
    section->crc = 0;
    section->crc = crash_crc32c(crash_crc32c(0, section, sizeof *section), stored, len);
    emit(writer, section, sizeof *section);
    emit(writer, stored, len);
    emit(writer, padding, -len % SECTION_ALIGNMENT);
    enter_in_directory(writer);
}

void crash_section(struct crash_writer *writer, uint32_t tag, uint64_t address, const void *payload,
                   size_t len)
{
    crash_section_begin(writer, tag, address);
    crash_append(writer, payload, len);
    crash_section_end(writer, false);
}

bool crash_end(struct crash_writer *writer, uint64_t time_used_us)
{
    crash_section_end(writer, true);

    struct crash_end_section end = {
        .section_count = writer->section_count,
        .faulted = writer->faulted,
        .length = writer->length,
        .time_used_us = time_used_us,
        .sections_crc = writer->sections_crc,
        .header_count = writer->section_count,
    };
    if (end.header_count > CRASH_DIRECTORY_SECTIONS)
        end.header_count = CRASH_DIRECTORY_SECTIONS;

    writer->compressor = NULL; /* who has lost the rest finds the end as it is */
    crash_section_begin(writer, CRASH_TAG('E', 'N', 'D', 'S'), 0);
    crash_append(writer, &end, sizeof end);
    crash_append(writer, writer->directory, end.header_count * sizeof writer->directory[0]);
    crash_section_end(writer, false);
    if (writer->refused)
        return false;
    return writer->sink->commit == NULL || writer->sink->commit(writer->sink->ctx);
}
