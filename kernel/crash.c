/*
 * crash.c - the stages of a crash: report, record, and what `oncrash=` says.
 */
#include "crash.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "command_line.h"
#include "console.h"
#include "crash_report.h"
#include "crash_sections.h"
#include "crashdump/crashdump.h"
#include "debugger.h"
#include "format.h"
#include "panic.h"
#include "version.h"

enum {
    EXIT_STATUS = 70,   /* the emulator's, after a crash */
    NESTED_ENTRIES = 8, /* faults inside the writer that are described */
};

static struct {
    atomic_uint stage;
    unsigned on_crash; /* index into endings */
    uint32_t sequence; /* of the last record */
    uint32_t inject;   /* tag of the section in which to panic, 0: none */
    struct trap trap;  /* the first one: what the record is about */
    struct crash_scene scene;
    struct crash_nested nested[NESTED_ENTRIES];
    struct crash_lines lines;
    struct crash_sink sink;
    struct crash_writer writer;
} crash;

/* One section, to be gathered under arch_guard(). */
struct job {
    const struct crash_part *part;
};

/* ---- What follows a crash ---- */

static void end_by_exit(void)
{
    debugger_killed(&crash.trap);
    arch_exit_emulator(EXIT_STATUS);
}

static void end_by_reboot(void)
{
    debugger_killed(&crash.trap);
    arch_reset();
}

static void end_by_halt(void)
{
    arch_halt();
}

static void end_by_debugger(void)
{
    debugger_examine(&crash.trap);
    end_by_exit();
}

/* In the order of ENDINGS. */
static void (*const endings[])(void) = {end_by_exit, end_by_reboot, end_by_halt, end_by_debugger};
static const char ENDINGS[] = "exit|reboot|halt|gdb";

static _Noreturn void finish(void)
{
    console_flush();
    endings[crash.on_crash]();
    arch_halt();
}

void crash_init(void)
{
    command_line_choice("crashdump", "serial", 0);
    crash.on_crash = command_line_choice("oncrash", ENDINGS, 0);
}

void crash_inject_panic(uint32_t tag)
{
    crash.inject = tag;
}

/* ---- The record ---- */

static void note_nested(uint32_t tag, const struct trap *caught)
{
    struct crash_nested *nested;

    if (crash.scene.nested_count == NESTED_ENTRIES)
        return;
    nested = &crash.nested[crash.scene.nested_count++];
    *nested = (struct crash_nested){
        .tag = tag,
        .kind = caught->kind,
        .vector = caught->vector,
        .error = caught->error,
        .pc = caught->pc,
        .address = caught->address,
    };
    format_text(nested->text, sizeof nested->text, "%s%s%s", caught->name,
                caught->message == NULL ? "" : ": ",
                caught->message == NULL ? "" : caught->message);
}

static size_t read_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
    (void)ctx;
    return arch_copy_from(buf, addr, len);
}

static bool put_line(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    return console_write_raw(text, len);
}

static const struct crash_source source = {.read_memory = read_memory};

static void begin_record(bool minimal)
{
    struct crash_header header = {
        .sequence = ++crash.sequence,
        .machine = ARCH_ELF_MACHINE,
        .cpu_count = (uint16_t)arch_cpu_count(),
        .flags = minimal ? CRASH_RECORD_MINIMAL : 0,
    };

    arch_boot_id(header.boot_id);
    header.build_id_length = (uint32_t)version_build_id(header.build_id);
    crash.lines.print = put_line;
    crash_lines_init(&crash.lines, &crash.sink, crash_record_id(&header));
    crash_begin(&crash.writer, &crash.sink, &source, &header);
}

static void gather(void *argument)
{
    const struct job *job = argument;

    job->part->gather(&crash.writer, &crash.scene);
    if (crash.inject == job->part->tag) {
        crash.inject = 0;
        panic("provoked inside the crash writer");
    }
}

static void write_section(const struct crash_part *part)
{
    struct job job = {part};
    struct trap caught;

    crash_section_begin(&crash.writer, part->tag,
                        part->address == NULL ? 0 : part->address(&crash.scene));
    bool whole = arch_guard(gather, &job, &caught);
    if (!whole)
        note_nested(part->tag, &caught);
    crash_section_end(&crash.writer, !whole);
}

static void write_record(bool minimal)
{
    begin_record(minimal);
    for (size_t i = 0; i < crash_part_count; i++) {
        const struct crash_part *part = &crash_parts[i];

        if ((!minimal || part->minimal) && (part->wanted == NULL || part->wanted(&crash.scene)))
            write_section(part);
    }
    if (!crash_end(&crash.writer, arch_time_us() - crash.scene.began_us))
        console_print("\nthe record is incomplete: the serial line stopped taking it\n");
}

/* ---- The stages ---- */

static void report(void *argument)
{
    (void)argument;
    crash_report(&crash.scene);
}

static void write_all(void *argument)
{
    struct trap caught;

    (void)argument;
    if (!arch_guard(report, NULL, &caught))
        note_nested(0, &caught);
    write_record(false);
    crash_report_decoding();
    finish();
}

static void write_minimum(void *argument)
{
    const struct trap *trap = argument;

    crash.scene.nesting = 1;
    note_nested(crash.writer.section.tag, trap);
    console_print("\ncrash: %s at pc 0x%lx while the record was written: a minimal one follows\n",
                  trap->name, trap->pc);
    write_record(true);
    crash_report_decoding();
    finish();
}

static void write_line(void *argument)
{
    static const char text[] = "\ncrash: no record could be written\n";

    (void)argument;
    console_write(text, sizeof text - 1);
    finish();
}

static void (*const stages[])(void *) = {write_all, write_minimum, write_line};

bool crash_has_begun(void)
{
    return atomic_load(&crash.stage) > 0;
}

enum trap_verdict crash_handle(struct trap *trap)
{
    unsigned stage;

    /* A byte for the debugger that came just before it was muted is no failure of the writer. */
    if (trap->kind == TRAP_NMI && atomic_load(&crash.stage) > 0)
        return TRAP_HANDLED;
    stage = atomic_fetch_add(&crash.stage, 1);
    debugger_mute();
    console_begin_crash();
    if (stage >= sizeof stages / sizeof stages[0])
        arch_halt();
    if (stage == 0) {
        crash.trap = *trap;
        crash.scene = (struct crash_scene){
            .trap = &crash.trap, .began_us = arch_time_us(), .nested = crash.nested};
        arch_call_on_stack(ARCH_STACK_FATAL, stages[stage], trap);
    }
    /* Later stages begin inside an earlier one, whose stack holds what they are about. */
    stages[stage](trap);
    arch_halt();
}
