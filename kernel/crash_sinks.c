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
#include "crash_guard.h"
#include "crash_inject.h"
#include "crash_record.h"
#include "crashdump/disk.h"
#include "crashdump/ram.h"
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

static struct {
    struct crash_ram ram;
    struct crash_disk disk;
    struct crash_lines lines;
    enum crash_disk_state disk_state;
    bool has_disk;
    enum crash_scope disk_scope;
} sinks = {.disk_scope = CRASH_SCOPE_DATA};

/* ---- Memory ---- */

static void flush_memory(void *ctx, const void *start, size_t len)
{
    (void)ctx;
    arch_flush_memory(start, len);
}

static bool find_memory(void)
{
    sinks.ram.flush = flush_memory;
    sinks.ram.window = arch_surviving_memory(&sinks.ram.size);
    return sinks.ram.window != NULL;
}

static bool open_memory(struct crash_sink *inner, uint32_t record_id)
{
    (void)record_id;
    if (!find_memory())
        return false;
    crash_ram_init(&sinks.ram, inner);
    return true;
}

/* ---- The disk ---- */

static bool read_blocks(void *ctx, uint64_t block, void *bytes, size_t len)
{
    (void)ctx;
    return arch_disk_read(block, bytes, len);
}

static bool write_blocks(void *ctx, uint64_t block, const void *bytes, size_t len)
{
    (void)ctx;
    return arch_disk_write(block, bytes, len);
}

static enum crash_disk_state look_at_disk(void)
{
    sinks.disk.read = read_blocks;
    sinks.disk.write = write_blocks;
    sinks.disk.blocks = arch_disk_blocks();
    return crash_disk_open(&sinks.disk);
}

static bool open_disk(struct crash_sink *inner, uint32_t record_id)
{
    (void)record_id;
    if (!sinks.has_disk || sinks.disk_state != CRASH_DISK_READY || !arch_disk_restart() ||
        look_at_disk() != CRASH_DISK_READY)
        return false;
    crash_disk_init(&sinks.disk, inner);
    return true;
}

static void init_disk(void)
{
    static const char *const words[] = {
        [CRASH_DISK_FULL] = "is full",
        [CRASH_DISK_FOREIGN] = "is neither blank nor labelled for crash records",
        [CRASH_DISK_DEAD] = "cannot be read",
    };

    sinks.has_disk = arch_disk_init();
    if (!sinks.has_disk)
        return;
    sinks.disk_state = look_at_disk();
    if (sinks.disk_state == CRASH_DISK_READY)
        log_print(LOG_NOTICE, "crash: the disk holds %u records, block %lu of %lu is next",
                  crash_disk_records(&sinks.disk), sinks.disk.next, sinks.disk.blocks);
    else
        log_print(LOG_WARNING, "crash: the disk is not used: it %s", words[sinks.disk_state]);
}

/* ---- The console's line ---- */

static bool put_line(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    crash_progress();
    return console_write_raw(text, len);
}

static bool open_lines(struct crash_sink *inner, uint32_t record_id)
{
    sinks.lines.print = put_line;
    crash_lines_init(&sinks.lines, inner, record_id);
    return console_is_on();
}

/* ---- All of them ---- */

/* In the order of their use.  Those that need no preparation also work before crash_sinks_init().
 */
static struct sink table[] = {
    {.name = "ram", .open = open_memory},
    {.name = "disk", .open = open_disk, .is_disk = true},
    {.name = "serial", .open = open_lines, .copies = true},
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

static bool copy_from_memory(const struct crash_sink *to)
{
    struct crash_ram_record record;

    if (!crash_ram_read(&sinks.ram, sinks.ram.slot, &record))
        return false;
    for (size_t done = 0; done < record.length; done += COPY_BYTES) {
        size_t left = record.length - done;

        if (!to->write(to->ctx, record.bytes + done, left < COPY_BYTES ? left : COPY_BYTES))
            return false;
    }
    return to->commit(to->ctx);
}

static bool memory_is_good(void)
{
    struct crash_ram_record record;

    return table[0].state == SINK_WRITTEN && crash_ram_read(&sinks.ram, sinks.ram.slot, &record);
}

static void write_one(void *argument)
{
    const struct task *task = argument;
    struct sink *sink = task->sink;
    const struct crash_sink outer = {.ctx = sink, .write = sink_write, .commit = sink_commit};
    bool copy = sink->copies && memory_is_good(), minimal = task->minimal && !copy;
    enum crash_scope scope = sink->is_disk ? sinks.disk_scope : CRASH_SCOPE_SMALL;
    struct crash_header header;

    crash_record_header(&header, minimal);
    if (!sink->open(&sink->inner, crash_record_id(&header)))
        return;
    sink->state = SINK_FAILED;
    if (copy ? copy_from_memory(&outer)
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

bool crash_sinks_memory(size_t n, uint64_t *start, uint64_t *end)
{
    *start = (uint64_t)(uintptr_t)&sinks;
    *end = *start + sizeof sinks;
    return n == 0;
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
    unsigned chosen = 0;

    for (size_t i = 0; i < SINKS && list != NULL; i++) {
        table[i].off = !is_listed(list, table[i].name);
        chosen += !table[i].off;
    }
    if (list != NULL && chosen == 0)
        log_print(LOG_WARNING, "command line: crashdump=%s names none of ram, disk, serial", list);
    sinks.disk_scope =
        command_line_choice("crashscope", "data|all", 0) == 0 ? CRASH_SCOPE_DATA : CRASH_SCOPE_ALL;
}

/* Send the records that memory has kept, oldest first; each that has left is not sent again. */
static void send_again(void *argument)
{
    struct crash_ram_record record;
    struct crash_sink sink;

    (void)argument;
    for (int i = 0; i < CRASH_RAM_SLOTS && crash_ram_unsent(&sinks.ram, &record); i++) {
        log_print(LOG_NOTICE,
                  "crash: memory has kept record %08x of an earlier boot: crash %u, "
                  "%lu bytes, %u records lost; it follows",
                  record.record_id, record.number, record.length, record.displaced);
        if (!open_lines(&sink, record.record_id))
            return;
        sinks.ram.slot = record.slot;
        if (!copy_from_memory(&sink))
            return;
        crash_ram_mark_sent(&sinks.ram, &record);
        log_print(LOG_NOTICE, "crash: record %08x was sent again", record.record_id);
    }
}

void crash_sinks_init(void)
{
    struct trap caught;

    choose_sinks();
    init_disk();
    if (find_memory() && !arch_guard(send_again, NULL, &caught))
        log_print(LOG_WARNING, "crash: %s while a record was sent again", caught.name);
}
