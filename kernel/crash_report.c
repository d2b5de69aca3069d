/*
 * crash_report.c - a crash in words and numbers, without symbols.
 */
#include "crash_report.h"

#include "arch/arch.h"
#include "backtrace.h"
#include "console.h"
#include "crash_guard.h"
#include "version.h"

enum {
    REGISTERS_PER_LINE = 4,
    PCS_PER_LINE = 4,
    PCS = 12, /* of the backtrace; the record has more */
};

static void report_cause(const struct crash_scene *scene)
{
    const struct trap *trap = scene->trap;
    char words[160];

    crash_progress_for(ARCH_LINE_MS);
    console_print("\n*** kernel crash: %s%s%s, cpu %u, %lu.%06lu s after boot\n", trap->name,
                  trap->message == NULL ? "" : ": ", trap->message == NULL ? "" : trap->message,
                  trap->cpu, scene->began_us / 1000000, scene->began_us % 1000000);
    arch_describe_trap(trap, words, sizeof words);
    if (words[0] != '\0' && trap->message == NULL)
        console_print("    %s\n", words);
}

/* `address` and the range it is in. */
static void report_place(const char *what, uint64_t address)
{
    struct crash_map map;

    crash_progress_for(ARCH_LINE_MS);
    for (size_t i = 0; arch_map_entry(i, &map); i++) {
        if (address < map.start || address >= map.end)
            continue;
        console_print("    %-8s0x%016lx  in the %s%.*s\n", what, address,
                      map.kind == CRASH_MAP_GUARD ? "guard page of the " : "", (int)sizeof map.name,
                      map.name);
        return;
    }
    console_print("    %-8s0x%016lx  in no known range\n", what, address);
}

/* The general registers: those of 64 bits in the first feature, which every processor has. */
static void report_registers(const struct trap_frame *frame)
{
    unsigned printed = 0;

    crash_progress_for(ARCH_LINE_MS);
    for (size_t i = 0; i < arch_gdb.register_count; i++) {
        const struct gdbstub_register *reg = &arch_gdb.registers[i];
        uint64_t value;

        if (reg->feature != 0 || reg->bits != 64 || !arch_register_read(frame, i, &value))
            continue;
        console_print("%s%-4s%016lx", printed % REGISTERS_PER_LINE == 0 ? "\n    " : "  ",
                      reg->name, value);
        printed++;
    }
    console_write("\n", 1);
}

static void report_backtrace(const struct trap_frame *frame)
{
    struct backtrace walk;
    struct crash_frame found;

    crash_progress_for(ARCH_LINE_MS);
    console_print("    backtrace (? is a guess):");
    backtrace_begin(&walk, frame);
    for (unsigned i = 0; i < PCS && backtrace_next(&walk, &found); i++)
        console_print("%s%c%016lx", i % PCS_PER_LINE == 0 ? "\n    " : "  ",
                      found.trust == CRASH_TRUST_SCAN ? '?' : ' ', found.pc);
    console_write("\n", 1);
}

void crash_report(const struct crash_scene *scene)
{
    const struct trap *trap = scene->trap;

    report_cause(scene);
    report_place("pc", trap->pc);
    if (trap->kind == TRAP_PAGE_FAULT)
        report_place("address", trap->address);
    report_place("stack", arch_frame_sp(trap->frame));
    report_registers(trap->frame);
    report_backtrace(trap->frame);
}

void crash_report_decoding(void)
{
    char build_id[VERSION_BUILD_ID_TEXT];

    version_build_id_text(build_id);
    console_print("\n*** to decode this console's log:  scripts/crash.py report LOG   "
                  "(build id %s)\n",
                  build_id);
}
