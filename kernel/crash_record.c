/*
 * crash_record.c - one writer, for one sink at a time.
 *
 * Each sink that cannot copy a good record gets one that is gathered anew: a damaged copy spoils
 * no other.
 */
#include "crash_record.h"

#include "arch/arch.h"
#include "crash_devices.h"
#include "crash_guard.h"
#include "crash_inject.h"
#include "crash_memory.h"
#include "crash_regions.h"
#include "format.h"
#include "string.h"
#include "version.h"

enum { TAG_BYTES = 4 };

static struct {
    struct crash_writer writer;
    struct crash_compressor compressor;
    uint32_t sequence; /* of its full records; a minimal one has the next */
} record = {.sequence = 1};

/* One section, to be gathered under crash_try(). */
struct job {
    const struct crash_part *part;
    struct crash_scene *scene;
};

static size_t read_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
    (void)ctx;
    crash_progress();
    return arch_copy_from(buf, addr, len);
}

static const struct crash_source source = {.read_memory = read_memory, .classify = crash_classify};

void crash_record_begin(void)
{
    record.sequence += 2;
}

void crash_record_header(struct crash_header *header, bool minimal)
{
    *header = (struct crash_header){
        .sequence = record.sequence + minimal,
        .machine = ARCH_ELF_MACHINE,
        .cpu_count = (uint16_t)arch_cpu_count(),
        .flags = minimal ? CRASH_RECORD_MINIMAL : 0,
    };
    arch_boot_id(header->boot_id);
    header->build_id_length = (uint32_t)version_build_id(header->build_id);
}

void crash_note_nested(struct crash_scene *scene, const char *place, const struct trap *caught)
{
    struct crash_nested *nested;

    if (scene->nested_count == CRASH_NESTED_ENTRIES)
        return;
    nested = &scene->nested[scene->nested_count++];
    *nested = (struct crash_nested){
        .tag = crash_record_section(),
        .kind = caught->kind,
        .vector = caught->vector,
        .error = caught->error,
        .pc = caught->pc,
        .address = caught->address,
    };
    format_text(nested->text, sizeof nested->text, "%s%s%s%s%s", place == NULL ? "" : place,
                place == NULL ? "" : ": ", caught->name, caught->message == NULL ? "" : ": ",
                caught->message == NULL ? "" : caught->message);
}

uint32_t crash_record_section(void)
{
    return record.writer.open ? record.writer.section.tag : 0;
}

static void gather(void *argument)
{
    const struct job *job = argument;
    char tag[TAG_BYTES + 1] = {0};

    job->part->gather(&record.writer, job->scene);
    memcpy(tag, &job->part->tag, TAG_BYTES);
    if (crash_inject_point(tag))
        crash_section_end(&record.writer, true);
}

static void write_section(const struct crash_part *part, struct crash_scene *scene)
{
    struct job job = {part, scene};
    struct trap caught;

    crash_section_begin(&record.writer, part->tag,
                        part->address == NULL ? 0 : part->address(scene));
    bool whole = crash_try(gather, &job, &caught);
    if (!whole)
        crash_note_nested(scene, NULL, &caught);
    crash_section_end(&record.writer, !whole);
}

bool crash_record_write(const struct crash_sink *sink, struct crash_scene *scene,
                        enum crash_scope scope)
{
    bool minimal = scope == CRASH_SCOPE_MINIMAL;
    struct crash_header header;

    scene->scope = scope;
    scene->nesting = minimal;
    crash_record_header(&header, minimal);
    crash_begin(&record.writer, sink, &source, &header);
    crash_use_compressor(&record.writer, minimal ? NULL : &record.compressor);
    for (size_t i = 0; i < crash_part_count; i++) {
        const struct crash_part *part = &crash_parts[i];

        if ((!minimal || part->minimal) && (part->wanted == NULL || part->wanted(scene)))
            write_section(part, scene);
    }
    return crash_end(&record.writer, arch_time_us() - scene->began_us);
}

static const struct {
    const void *start;
    size_t bytes;
} own[] = {
    {&record, sizeof record},
};

bool crash_own_memory(size_t n, uint64_t *start, uint64_t *end)
{
    size_t mine = sizeof own / sizeof own[0];

    if (n >= mine)
        return crash_device_memory_range(n - mine, start, end);
    *start = (uint64_t)(uintptr_t)own[n].start;
    *end = *start + own[n].bytes;
    return true;
}
