/*
 * crash_guard.c - counts ticks without progress, and what was given up.
 *
 * A machine without a watchdog timer has no limit for what stands still; everything else is the
 * same.
 */
#include "crash_guard.h"

#include <stdatomic.h>

#include "arch/arch.h"

enum {
    PATIENCE = 1000 / ARCH_WATCHDOG_MS, /* ticks without progress */
    MOST_GIVEN_UP = 64,
};

static struct {
    atomic_bool on;
    unsigned cpu;
    atomic_uint depth; /* of crash_try() */
    atomic_int ticks;  /* without progress, until it counts as standing still */
    atomic_uint given_up;
} guard;

void crash_guard_begin(unsigned cpu)
{
    guard.cpu = cpu;
    atomic_store(&guard.on, true);
    arch_watchdog(true);
}

void crash_guard_end(void)
{
    arch_watchdog(false);
    atomic_store(&guard.on, false);
}

bool crash_try(void (*function)(void *), void *argument, struct trap *caught)
{
    bool returned;

    crash_progress();
    atomic_fetch_add(&guard.depth, 1);
    returned = arch_guard(function, argument, caught);
    atomic_fetch_sub(&guard.depth, 1);
    return returned;
}

void crash_progress_for(unsigned ms)
{
    atomic_store(&guard.ticks, PATIENCE + (int)(ms / ARCH_WATCHDOG_MS));
}

void crash_progress(void)
{
    crash_progress_for(0);
}

bool crash_give_up(struct trap *trap)
{
    crash_progress();
    return atomic_load(&guard.on) && trap->cpu == guard.cpu && atomic_load(&guard.depth) > 0 &&
           atomic_fetch_add(&guard.given_up, 1) < MOST_GIVEN_UP && arch_abandon(trap);
}

/* An NMI that came before the debugger's line was muted counts as a tick, which does no harm. */
enum trap_verdict crash_watch(struct trap *trap)
{
    if (!atomic_load(&guard.on) || trap->cpu != guard.cpu)
        return TRAP_DECLINED;
    if (atomic_fetch_sub(&guard.ticks, 1) <= 0) {
        trap->message = "stood still for a second";
        (void)crash_give_up(trap);
    }
    return TRAP_HANDLED;
}
