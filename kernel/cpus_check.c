/*
 * cpus_check.c - checks the processors from inside: ticks, messages between each two, stacks and
 * their guards.
 *
 * Messages of a kind that arrive together count as one, so each is awaited before the next is sent.
 * Only storm() does otherwise: it asks where messages arrive, not how many.
 */
#include "cpus_check.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "format.h"
#include "log.h"
#include "schedule.h"
#include "string.h"
#include "thread.h"

enum check_numbers {
    CHECK_TICKS = 10,
    CHECK_STORM = 300, /* NMIs */
    CHECK_FAILED = 1,  /* exit status */

    /* In ticks of the CPU that waits, of which a busy host lets it have fewer. */
    CHECK_PATIENCE = 2000,
    CHECK_PATIENCE_US = 20000000, /* for the first ones */

    STORM_SENDER = 0, /* interrupts the target, and is interrupted by the disturber */
    STORM_TARGET = 1,
    STORM_DISTURBER = 2,
    STORM_CPUS = 3,
};

/* What has arrived at a CPU, and how many NMIs have been sent there: others are not the check's. */
struct arrivals {
    atomic_uint interrupts[ARCH_INTERRUPTS];
    atomic_uint nmis;
    atomic_uint nmis_sent;
};

static struct {
    atomic_uint begun; /* participants */
    atomic_bool running;
    atomic_bool storming;
    atomic_uint turn; /* the CPU that sends */
    atomic_uint wrong;
    struct arrivals cpus[ARCH_CPUS];
} check;

static void complain(unsigned cpu, const char *what)
{
    atomic_fetch_add(&check.wrong, 1);
    log_print(LOG_ERROR, "CPU %u %s", cpu, what);
}

/* ---- In traps ---- */

/* NMIs are handled on a stack that no other CPU has. */
static void check_nmi_stack(unsigned cpu)
{
    char expected[CRASH_NAME_BYTES];
    struct arch_stack stack = {.name = "no stack"};

    format_text(expected, sizeof(expected), cpu == 0 ? "NMI stack" : "CPU %u NMI stack", cpu);
    if (!arch_find_stack((uint64_t)(uintptr_t)expected, &stack) ||
        strcmp(stack.name, expected) != 0)
        complain(cpu, "handles an NMI on another's stack");
}

ARCH_DEBUGGER_PATH enum trap_verdict cpus_check_handle(struct trap *trap)
{
    struct arrivals *here = &check.cpus[trap->cpu];

    if (!check.running)
        return TRAP_DECLINED;
    if (trap->kind == TRAP_INTERRUPT) {
        atomic_fetch_add(&here->interrupts[arch_interrupt_source(trap)], 1);
        return TRAP_DECLINED; /* somebody has to end it */
    }
    if (!check.storming && here->nmis >= here->nmis_sent)
        return TRAP_DECLINED;
    check_nmi_stack(trap->cpu);
    if (check.storming)
        arch_send_interrupt(STORM_DISTURBER, ARCH_INTERRUPT_RESCHEDULE);
    atomic_fetch_add(&here->nmis, 1);
    return TRAP_HANDLED;
}

/* ---- On every CPU ---- */

static bool wait_for_ticks(const atomic_uint *ticks)
{
    uint64_t begin = arch_time_us();

    while (*ticks < CHECK_TICKS && arch_time_us() - begin < CHECK_PATIENCE_US)
        arch_pause();
    return *ticks >= CHECK_TICKS;
}

/* How many ticks this CPU has had. */
static uint64_t ticks_here(void)
{
    return schedule_cpu(arch_cpu_id())->ticks;
}

static bool wait_for(const atomic_uint *counter, unsigned at_least, unsigned patience)
{
    uint64_t begin = ticks_here();

    while (*counter < at_least && ticks_here() - begin < patience)
        arch_pause();
    return *counter >= at_least;
}

static void check_message(unsigned cpu, unsigned to, enum arch_interrupt interrupt)
{
    const atomic_uint *arrived = &check.cpus[to].interrupts[interrupt];
    unsigned before = *arrived;

    arch_send_interrupt(to, interrupt);
    if (!wait_for(arrived, before + 1, CHECK_PATIENCE))
        complain(cpu, "sends interrupts that do not arrive");
}

static void check_nmi(unsigned cpu, unsigned to)
{
    const atomic_uint *arrived = &check.cpus[to].nmis;
    unsigned before = *arrived;

    atomic_fetch_add(&check.cpus[to].nmis_sent, 1);
    arch_send_nmi(to);
    if (!wait_for(arrived, before + 1, CHECK_PATIENCE))
        complain(cpu, "sends NMIs that do not arrive");
}

static void check_messages(unsigned cpu)
{
    for (unsigned to = 0; to < arch_cpu_count(); to++) {
        if (to == cpu)
            continue;
        check_message(cpu, to, ARCH_INTERRUPT_RESCHEDULE);
        check_message(cpu, to, ARCH_INTERRUPT_FLUSH);
        check_nmi(cpu, to);
    }
}

static void take_part(unsigned cpu)
{
    if (arch_cpu_id() != cpu)
        complain(cpu, "takes itself for another");
    if (!wait_for_ticks(&check.cpus[cpu].interrupts[ARCH_INTERRUPT_TIMER])) {
        complain(cpu, "does not tick");
        return;
    }
    if (!wait_for(&check.turn, cpu, cpu * CHECK_PATIENCE))
        complain(cpu, "never had its turn");
    check_messages(cpu);
    atomic_fetch_add(&check.turn, 1);
}

/* A thread on each of the other CPUs, until the end. */
static void participant(void *argument)
{
    unsigned cpu = (unsigned)(uintptr_t)argument;

    atomic_fetch_add(&check.begun, 1);
    while (!check.running)
        arch_pause();
    take_part(cpu);
    while (check.running) {
        if (cpu == STORM_DISTURBER && check.storming)
            arch_send_nmi(STORM_SENDER);
        arch_pause();
    }
}

/* ---- On the first CPU ---- */

/* Send to the target until enough NMIs have come in between. */
static void send_in_storm(void)
{
    const atomic_uint *nmis = &check.cpus[STORM_SENDER].nmis;
    unsigned enough = *nmis + CHECK_STORM;
    uint64_t begin = ticks_here();

    check.storming = true;
    while (*nmis < enough && ticks_here() - begin < CHECK_PATIENCE)
        arch_send_interrupt(STORM_TARGET, ARCH_INTERRUPT_FLUSH);
    check.storming = false;
    if (*nmis < enough)
        complain(STORM_DISTURBER, "sends too few NMIs");
}

/* A message that an NMI sends in the middle of another must not change where that one goes. */
static void storm(void)
{
    const atomic_uint *astray = &check.cpus[STORM_DISTURBER].interrupts[ARCH_INTERRUPT_FLUSH];
    const atomic_uint *lost = &check.cpus[STORM_TARGET].interrupts[ARCH_INTERRUPT_RESCHEDULE];
    unsigned astray_before = *astray, lost_before = *lost;

    if (arch_cpu_count() < STORM_CPUS)
        return;
    send_in_storm();
    if (*astray != astray_before)
        complain(STORM_SENDER, "sends interrupts where an NMI has sent one");
    if (*lost != lost_before)
        complain(STORM_SENDER, "sends interrupts in an NMI to where others go");
}

/* Of the kernel's map: is there memory where a stack is, and none where a guard is? */
static unsigned check_guards(void)
{
    struct crash_map map;
    struct crash_walk walk;
    unsigned guards = 0;

    for (size_t i = 0; arch_map_entry(i, &map); i++) {
        if (map.kind != CRASH_MAP_STACK && map.kind != CRASH_MAP_GUARD)
            continue;
        arch_walk(map.start, &walk);
        if ((map.kind == CRASH_MAP_STACK) != (walk.mapped != 0))
            complain(arch_cpu_id(), map.name);
        guards += map.kind == CRASH_MAP_GUARD;
    }
    return guards;
}

/* Out of line: break here to look at a machine whose CPUs all run. */
static __attribute__((noinline)) void report(unsigned guards)
{
    log_print(LOG_NOTICE, "cpus: %u run, %u guards", arch_cpu_count(), guards);
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        const struct arrivals *arrived = &check.cpus[cpu];

        log_print(LOG_NOTICE, "CPU %u: %u ticks, %u reschedules, %u flushes, %u NMIs", cpu,
                  arrived->interrupts[ARCH_INTERRUPT_TIMER],
                  arrived->interrupts[ARCH_INTERRUPT_RESCHEDULE],
                  arrived->interrupts[ARCH_INTERRUPT_FLUSH], arrived->nmis);
    }
}

static void begin(void)
{
    for (unsigned cpu = 1; cpu < arch_cpu_count(); cpu++)
        thread_detach(
            thread_start("check", participant, (void *)(uintptr_t)cpu, THREAD_NORMAL, (int)cpu));
    if (!wait_for(&check.begun, arch_cpu_count() - 1, CHECK_PATIENCE))
        complain(check.begun, "never began");
    check.running = true;
}

void cpus_check_run(const char *argument)
{
    (void)argument;
    begin();
    take_part(0);
    if (!wait_for(&check.turn, arch_cpu_count(), arch_cpu_count() * CHECK_PATIENCE))
        complain(check.turn, "never came to an end");
    report(check_guards());
    storm();
    check.running = false;
    if (check.wrong != 0)
        arch_exit_emulator(CHECK_FAILED);
    log_print(LOG_NOTICE, "cpus: all is well");
}
