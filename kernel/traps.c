/*
 * traps.c - THE trap table: who is asked about a trap, in which order.  All policy is these rows.
 */
#include "traps.h"

#include "arch/arch.h"
#include "cpus.h"
#include "cpus_check.h"
#include "crash.h"
#include "crash_guard.h"
#include "debugger.h"
#include "flight.h"
#include "log.h"
#include "process.h"
#include "program_trap.h"
#include "schedule.h"
#include "stop.h"
#include "syscall.h"
#include "watchdog.h"

enum trap_masks {
    NOT_ASYNCHRONOUS = TRAP_ANY & ~(TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_NMI)),
    ENDING = TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_SYSCALL) | TRAP_MASK(TRAP_PAGE_FAULT),
    BREAKPOINT = TRAP_MASK(TRAP_BREAKPOINT),
    STEP = TRAP_MASK(TRAP_DEBUG),
};

static uint64_t counts[TRAPS_VECTORS];

/* First of all, and never the one who handles it. */
ARCH_DEBUGGER_PATH static enum trap_verdict count(struct trap *trap)
{
    if (trap->vector < TRAPS_VECTORS)
        counts[trap->vector]++;
    return TRAP_DECLINED;
}

ARCH_DEBUGGER_PATH uint64_t traps_counted(unsigned vector)
{
    return counts[vector];
}

ARCH_DEBUGGER_PATH static enum trap_verdict recover(struct trap *trap)
{
    return arch_recover(trap) ? TRAP_HANDLED : TRAP_DECLINED;
}

/* ---- Interrupts: by what they are about ---- */

static void flush(struct trap *trap)
{
    (void)trap;
    cpus_serve_flush();
}

/* No device has a handler: what arrives is a surprise. */
static void log_interrupt(struct trap *trap)
{
    log_print(LOG_NOTICE, "%s interrupt, vector %u", trap->name, trap->vector);
}

static void tick(struct trap *trap)
{
    watchdog_tick();
    if (!debugger_tick(trap)) /* else this frame goes on, as GDB has left it */
        schedule_tick(trap);
}

static void (*const interrupts[ARCH_INTERRUPTS])(struct trap *trap) = {
    [ARCH_INTERRUPT_SPURIOUS] = log_interrupt,
    [ARCH_INTERRUPT_TIMER] = tick,
    [ARCH_INTERRUPT_YIELD] = schedule_next,
    [ARCH_INTERRUPT_RESCHEDULE] = schedule_preempt,
    [ARCH_INTERRUPT_FLUSH] = flush,
    [ARCH_INTERRUPT_DEVICE] = log_interrupt,
};

/* The controller is told first: this thread may not come back soon. */
static enum trap_verdict interrupt(struct trap *trap)
{
    enum arch_interrupt source = arch_interrupt_source(trap);

    arch_interrupt_done(trap);
    interrupts[source](trap);
    return TRAP_HANDLED;
}

/* Nobody is debugging: a breakpoint is worth a line, and the kernel goes on behind it. */
static enum trap_verdict log_breakpoint(struct trap *trap)
{
    arch_frame_set_step(trap->frame, false);
    log_print(LOG_NOTICE, "%s at pc 0x%lx, sp 0x%lx, fp 0x%lx: no debugger, going on", trap->name,
              trap->pc, arch_frame_sp(trap->frame), arch_frame_fp(trap->frame));
    return TRAP_HANDLED;
}

static const struct trap_handler handlers[] = {
    {"count", TRAP_ANY, count},                           /* how many of each */
    {"breakpoint", BREAKPOINT, debugger_pass_breakpoint}, /* its condition is false */
    {"step", STEP, debugger_pass_step},                   /* inside of what GDB steps through */
    {"recover", NOT_ASYNCHRONOUS, recover},               /* copies and calls that may fail */
    {"flight", TRAP_ANY, flight_trap},                    /* notes it, and declines */
    {"cpus check", TRAP_MASK(TRAP_INTERRUPT) | TRAP_MASK(TRAP_NMI), cpus_check_handle},
    {"ending", ENDING, process_check}, /* a program that somebody has ended goes no further */
    {"interrupt", TRAP_MASK(TRAP_INTERRUPT), interrupt},
    {"system call", TRAP_MASK(TRAP_SYSCALL), syscall_handle},
    {"user memory", TRAP_MASK(TRAP_PAGE_FAULT), program_resolve}, /* not touched before */
    {"watchdog", TRAP_MASK(TRAP_NMI), crash_watch},               /* while a record is written */
    {"stop", TRAP_MASK(TRAP_NMI), stop_handle},                   /* another CPU has the machine */
    {"watchdog", TRAP_MASK(TRAP_NMI), watchdog_handle},           /* this one does not tick */
    {"break-in", TRAP_MASK(TRAP_NMI), debugger_break_in},         /* a byte from the debugger */
    {"debugger", NOT_ASYNCHRONOUS, debugger_handle}, /* if one is attached, it is first */
    {"program", NOT_ASYNCHRONOUS, program_handle},   /* its fault ends it alone */
    {"breakpoint", BREAKPOINT | STEP, log_breakpoint},
    {"crash", TRAP_ANY, crash_handle}, /* never returns */
};

void traps_init(void)
{
    trap_init(handlers, sizeof(handlers) / sizeof(handlers[0]));
}
