/*
 * crash.c - the stages of a crash: record, report, and what `oncrash=` says.
 */
#include "crash.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "command_line.h"
#include "console.h"
#include "crash_guard.h"
#include "crash_inject.h"
#include "crash_record.h"
#include "crash_report.h"
#include "crash_sinks.h"
#include "debugger.h"
#include "stop.h"

enum {
    EXIT_STATUS = 70, /* the emulator's, after a crash */
};

static struct {
    atomic_uint stage;
    unsigned on_crash; /* index into endings */
    struct trap trap;  /* the first one: what the record is about */
    struct crash_scene scene;
    unsigned snapshots; /* records that were written without a crash */
} crash;

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
    crash_guard_end();
    console_flush();
    arch_tell_emulator_of_crash();
    endings[crash.on_crash]();
    arch_halt();
}

void crash_init(void)
{
    crash.on_crash = command_line_choice("oncrash", ENDINGS, 0);
}

/* ---- The stages ---- */

static void report(void *argument)
{
    (void)argument;
    crash_report(&crash.scene);
    (void)crash_inject_point("report");
}

static void report_guarded(void)
{
    struct trap caught;

    if (!crash_try(report, NULL, &caught))
        crash_note_nested(&crash.scene, "report", &caught);
}

static void report_nothing(void)
{
}

void crash_snapshot(struct trap_frame *frame)
{
    crash.trap = (struct trap){
        .kind = TRAP_PANIC,
        .class = TRAP_CLASS_TRAP,
        .cpu = arch_cpu_id(),
        .vector = ARCH_VECTOR_PANIC,
        .pc = arch_frame_pc(frame),
        .name = "snapshot",
        .message = "the debugger asked for this record",
        .frame = frame,
    };
    crash.scene = (struct crash_scene){.trap = &crash.trap, .began_us = arch_time_us()};
    if (crash.snapshots++ > 0)
        crash_sinks_renew();
    crash_sinks_write(&crash.scene, false, report_nothing);
}

static void write_all(void *argument)
{
    (void)argument;
    crash_guard_begin(crash.trap.cpu);
    (void)crash_inject_point("crash");
    crash_sinks_write(&crash.scene, false, report_guarded);
    crash_sinks_report();
    crash_report_decoding();
    finish();
}

static void write_minimum(void *argument)
{
    const struct trap *trap = argument;

    crash_note_nested(&crash.scene, "crash", trap);
    console_print("\ncrash: %s at pc 0x%lx while the record was written: a minimal one follows\n",
                  trap->name, trap->pc);
    (void)crash_inject_point("minimal");
    crash_sinks_write(&crash.scene, true, report_nothing);
    crash_sinks_report();
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

/* Only one CPU crashes: another that does so, too, stands still for ever, with its trap's frame. */
static void take_machine(const struct trap *trap)
{
    while (!stop_take_or_join(trap->frame))
        ;
    if (atomic_load(&crash.stage) == 0)
        stop_others();
}

static void (*const stages[])(void *) = {write_all, write_minimum, write_line};

bool crash_has_begun(void)
{
    return atomic_load(&crash.stage) > 0;
}

enum trap_verdict crash_handle(struct trap *trap)
{
    unsigned stage;

    if (crash_give_up(trap))
        return TRAP_HANDLED;
    take_machine(trap);
    stage = atomic_fetch_add(&crash.stage, 1);
    debugger_mute();
    console_begin_crash();
    if (stage >= sizeof stages / sizeof stages[0])
        arch_halt();
    if (stage == 0) {
        crash.trap = *trap;
        crash.trap.frame = arch_keep_frame(trap->frame);
        crash.scene = (struct crash_scene){.trap = &crash.trap, .began_us = arch_time_us()};
        if (crash.snapshots > 0)
            crash_sinks_renew();
        arch_call_on_stack(ARCH_STACK_FATAL, stages[stage], trap);
    }
    /* Later stages begin inside an earlier one, whose stack holds what they are about. */
    stages[stage](trap);
    arch_halt();
}
