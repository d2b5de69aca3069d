/*
 * crash_sinks.c - the table of sinks.
 *
 * The record goes to memory first.  If it is good there, the console gets a copy of it, so that
 * both are the same to the byte and a reader can complete one from the other; if not, it is
 * gathered anew.  What a disk gets is always gathered anew, because it holds more.
 */
#include "crash_sinks.h"

#include "arch/arch.h"
#include "command_line.h"
#include "console.h"
#include "crash_devices.h"
#include "crash_guard.h"
#include "crash_inject.h"
#include "crash_record.h"
#include "log.h"
#include "string.h"

enum sink_state {
    SINK_UNUSED, /* switched off, or there is none */
    SINK_FAILED,
    SINK_WRITTEN,
    SINK_MINIMAL, /* only a minimal record */
};

struct sink {
    const char *name;
    /* Make ready for a record with that id.  False if there is no such sink. */
    bool (*open)(struct crash_sink *inner, uint32_t record_id);
    bool is_disk; /* holds memory, too */
    bool copies;  /* takes a copy of what memory has, if that is good */
    bool off;     /* not named by crashdump= */
    enum sink_state state;
    struct crash_sink inner;
};

static enum crash_scope disk_scope = CRASH_SCOPE_DATA;

/* In the order of their use.  Those that need no preparation also work before crash_sinks_init().
 */
static struct sink table[] = {
    {.name = "ram", .open = crash_device_open_memory},
    {.name = "disk", .open = crash_device_open_disk, .is_disk = true},
    {.name = "serial", .open = crash_device_open_line, .copies = true},
};

enum { SINKS = sizeof table / sizeof table[0], COPY_BYTES = 4096 };

static bool sink_write(void *ctx, const void *bytes, size_t len)
{
    const struct sink *sink = ctx;

    crash_progress();
    return !crash_inject_point(sink->name) && sink->inner.write(sink->inner.ctx, bytes, len);
}

static bool sink_commit(void *ctx)
{
    const struct sink *sink = ctx;

    crash_progress();
    return sink->inner.commit(sink->inner.ctx);
}

/* One record for one sink, to be written under crash_try(). */
struct task {
    struct sink *sink;
    struct crash_scene *scene;
    bool minimal;
};

static bool copy(const struct crash_ram_record *record, const struct crash_sink *to)
{
    for (size_t done = 0; done < record->length; done += COPY_BYTES) {
        size_t left = record->length - done;

        if (!to->write(to->ctx, record->bytes + done, left < COPY_BYTES ? left : COPY_BYTES))
            return false;
    }
    return to->commit(to->ctx);
}

/* Has memory taken this crash's record, and is it still as it was written? */
static bool memory_has(struct crash_ram_record *record)
{
    const struct crash_ram *ram = crash_device_memory();

    return table[0].state == SINK_WRITTEN && ram != NULL && crash_ram_read(ram, ram->slot, record);
}

static void write_one(void *argument)
{
    const struct task *task = argument;
    struct sink *sink = task->sink;
    const struct crash_sink outer = {.ctx = sink, .write = sink_write, .commit = sink_commit};
    enum crash_scope scope = sink->is_disk ? disk_scope : CRASH_SCOPE_SMALL;
    struct crash_ram_record kept;
    struct crash_header header;
    bool copies = sink->copies && memory_has(&kept), minimal = task->minimal && !copies;

    crash_record_header(&header, minimal);
    if (!sink->open(&sink->inner, crash_record_id(&header)))
        return;
    sink->state = SINK_FAILED;
    if (copies ? copy(&kept, &outer)
               : crash_record_write(&outer, task->scene, minimal ? CRASH_SCOPE_MINIMAL : scope))
        sink->state = minimal ? SINK_MINIMAL : SINK_WRITTEN;
}

/* The full record; after a fault in the sink, a minimal one.  A refusal is final. */
static void use(struct sink *sink, struct crash_scene *scene, bool minimal)
{
    struct task task = {sink, scene, minimal};
    struct trap caught;

    for (int tries = 0; tries < 2; tries++) {
        if (crash_try(write_one, &task, &caught))
            return;
        sink->state = SINK_FAILED;
        crash_note_nested(scene, sink->name, &caught);
        task.minimal = true;
    }
}

void crash_sinks_write(struct crash_scene *scene, bool minimal, void (*before_serial)(void))
{
    for (size_t i = 0; i < SINKS; i++) {
        if (table[i].copies)
            before_serial();
        if (!table[i].off && table[i].state != SINK_WRITTEN && table[i].state != SINK_MINIMAL)
            use(&table[i], scene, minimal);
    }
}

void crash_sinks_renew(void)
{
    for (size_t i = 0; i < SINKS; i++)
        table[i].state = SINK_UNUSED;
    crash_record_begin();
}

void crash_sinks_report(void)
{
    static const char *const words[] = {
        [SINK_FAILED] = "failed", [SINK_WRITTEN] = "written", [SINK_MINIMAL] = "a minimal one"};

    console_print("\n*** crash record:");
    for (size_t i = 0; i < SINKS; i++) {
        if (table[i].state != SINK_UNUSED)
            console_print(" %s %s;", table[i].name, words[table[i].state]);
    }
    console_write("\n", 1);
}

/* ---- At boot ---- */

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; *at != '\0'; at++) {
        bool begins = at == list || at[-1] == ',';

        if (begins && strncmp(at, name, len) == 0 && (at[len] == '\0' || at[len] == ','))
            return true;
    }
    return false;
}

static void choose_sinks(void)
{
    const char *list = command_line_value("crashdump");
    unsigned words = 1, known = 0;

    for (size_t i = 0; list != NULL && i < SINKS; i++) {
        table[i].off = !is_listed(list, table[i].name);
        known += !table[i].off;
    }
    for (const char *at = list; list != NULL && *at != '\0'; at++)
        words += *at == ',';
    if (list != NULL && known != words)
        log_print(LOG_WARNING, "command line: crashdump=%s: say some of ram,disk,serial", list);
    disk_scope =
        command_line_choice("crashscope", "data|all", 0) == 0 ? CRASH_SCOPE_DATA : CRASH_SCOPE_ALL;
}

/* Send the records that memory has kept, oldest first; each that has left is not sent again. */
static void send_again(void *argument)
{
    const struct crash_ram *ram = argument;
    struct crash_ram_record record;
    struct crash_sink sink;

    for (int i = 0; i < CRASH_RAM_SLOTS && crash_ram_unsent(ram, &record); i++) {
        log_print(LOG_NOTICE,
                  "crash: memory has kept record %08x of an earlier boot: crash %u, %lu bytes, "
                  "%u records lost; it follows",
                  record.record_id, record.number, record.length, record.displaced);
        if (!crash_device_open_line(&sink, record.record_id) || !copy(&record, &sink))
            return;
        crash_ram_mark_sent(ram, &record);
        log_print(LOG_NOTICE, "crash: record %08x was sent again", record.record_id);
    }
}

void crash_sinks_init(void)
{
    const struct crash_ram *ram = crash_device_memory();
    struct trap caught;

    choose_sinks();
    crash_device_init_disk();
    if (ram != NULL && !arch_guard(send_again, (void *)(uintptr_t)ram, &caught))
        log_print(LOG_WARNING, "crash: %s while a record was sent again", caught.name);
}
