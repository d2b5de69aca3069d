/*
 * watchdog.c - who has not ticked, and for how long.
 *
 * Time is counted in the watcher's own ticks: when it stands still itself, none passes.  A stop of
 * the machine begins the count anew.
 */
#include "watchdog.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "command_line.h"
#include "crash.h"
#include "debugger.h"
#include "format.h"
#include "schedule.h"
#include "stop.h"

enum watchdog_numbers {
    DEFAULT_SECONDS = 10,
    ASK_AGAIN_TICKS = SCHEDULE_HZ / 10, /* an NMI may have been taken for another's */
    NOBODY = 0,
};

/* What a CPU has seen of the next one. */
struct watch {
    uint64_t ticks;
    unsigned stops; /* of the machine until then */
    unsigned still; /* own ticks since then */
};

static struct {
    unsigned limit; /* in ticks; 0: off */
    struct watch watches[ARCH_CPUS];
    struct accusation {
        atomic_uint by; /* CPU + 1 */
        unsigned still;
        uint64_t ticks;
    } accused[ARCH_CPUS];
    char message[CRASH_TEXT_BYTES];
} watchdog;

void watchdog_init(void)
{
    watchdog.limit = command_line_number("watchdog", DEFAULT_SECONDS) * SCHEDULE_HZ;
}

static bool is_well(unsigned cpu, const struct watch *seen)
{
    uint64_t ticks = schedule_cpu(cpu)->ticks;

    return ticks == 0 /* it has no timer */ || ticks != seen->ticks ||
           stop_count() != seen->stops || stop_frame(cpu) != NULL;
}

static void accuse(unsigned cpu, unsigned by, const struct watch *seen)
{
    struct accusation *accused = &watchdog.accused[cpu];

    accused->still = seen->still;
    accused->ticks = seen->ticks;
    atomic_store(&accused->by, by + 1);
    arch_send_nmi(cpu);
}

void watchdog_tick(void)
{
    unsigned me = arch_cpu_id(), next = (me + 1) % arch_cpu_count();
    struct watch *watch = &watchdog.watches[me];

    if (watchdog.limit == 0 || next == me || crash_has_begun())
        return;
    if (is_well(next, watch)) {
        *watch = (struct watch){.ticks = schedule_cpu(next)->ticks, .stops = stop_count()};
        return;
    }
    watch->still++;
    if (watch->still >= watchdog.limit && (watch->still - watchdog.limit) % ASK_AGAIN_TICKS == 0)
        accuse(next, me, watch);
}

static void make_panic(struct trap *trap, unsigned by, unsigned still)
{
    format_text(watchdog.message, sizeof watchdog.message,
                "watchdog: CPU %u has not ticked for %u.%u s, seen by CPU %u", trap->cpu,
                still / SCHEDULE_HZ, still % SCHEDULE_HZ * 10 / SCHEDULE_HZ, by);
    trap->kind = TRAP_PANIC;
    trap->class = TRAP_CLASS_INTERRUPT;
    trap->vector = ARCH_VECTOR_PANIC;
    trap->name = "panic";
    trap->message = watchdog.message;
}

enum trap_verdict watchdog_handle(struct trap *trap)
{
    const struct accusation *accused = &watchdog.accused[trap->cpu];
    unsigned by = atomic_exchange(&watchdog.accused[trap->cpu].by, NOBODY);

    if (by == NOBODY)
        return TRAP_DECLINED;
    if (schedule_cpu(trap->cpu)->ticks == accused->ticks && !crash_has_begun()) {
        make_panic(trap, by - 1, accused->still);
        return TRAP_DECLINED;
    }
    (void)debugger_break_in(trap); /* it has ticked after all: two NMIs may have become one */
    return TRAP_HANDLED;
}
