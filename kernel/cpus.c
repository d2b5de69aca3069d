/*
 * cpus.c - starts the CPUs, and has them forget translations.
 *
 * One flush at a time.  Whoever waits for something here, or for a spin lock, does meanwhile what
 * the others ask of it: interrupts may be off.
 */
#include "cpus.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "arch/arch.h"
#include "command_line.h"
#include "log.h"
#include "schedule.h"
#include "thread.h"

static struct {
    atomic_flag busy; /* somebody's request is being served */
    uint64_t space, address;
    uint64_t requests; /* so far */
    struct {
        _Atomic uint64_t asked, done; /* the last request for this CPU, and that it has served */
    } cpus[ARCH_CPUS];
} flush = {.busy = ATOMIC_FLAG_INIT};

static void enter(unsigned cpu)
{
    (void)arch_timer_start(SCHEDULE_HZ);
    threads_idle(cpu);
}

void cpus_init(void)
{
    unsigned limit = command_line_number("smp", ARCH_CPUS);
    unsigned count = arch_start_cpus(limit, enter);

    if (count > 1)
        log_print(LOG_NOTICE, "%u CPUs are running", count);
}

/* For flush.address: the whole user half. */
#define ALL_ADDRESSES UINT64_MAX

ARCH_DEBUGGER_PATH static void forget(uint64_t address)
{
    if (address == ALL_ADDRESSES)
        arch_flush_space();
    else
        arch_flush_page(address);
}

/* An NMI in the middle of this may serve the same request, and a later one: what is left of the
 * interrupted one then must not pass for having served that. */
ARCH_DEBUGGER_PATH void cpus_serve_flush(void)
{
    unsigned cpu = arch_cpu_id();
    uint64_t done = atomic_load(&flush.cpus[cpu].done);
    uint64_t asked = atomic_load(&flush.cpus[cpu].asked);

    if (asked == done)
        return;
    if (arch_space_current() == flush.space || flush.space == arch_kernel_space())
        forget(flush.address);
    (void)atomic_compare_exchange_strong(&flush.cpus[cpu].done, &done, asked);
}

static void ask(unsigned cpu)
{
    atomic_store(&flush.cpus[cpu].asked, flush.requests);
    arch_send_interrupt(cpu, ARCH_INTERRUPT_FLUSH);
}

static bool is_served(unsigned cpu)
{
    return atomic_load(&flush.cpus[cpu].done) == atomic_load(&flush.cpus[cpu].asked);
}

static void wait_for(unsigned cpu)
{
    while (!is_served(cpu)) {
        cpus_serve_flush();
        arch_pause();
    }
}

static void flush_all(uint64_t space, uint64_t address)
{
    bool interrupts = arch_interrupts_disable();
    unsigned me = arch_cpu_id(), count = arch_cpu_count();

    while (atomic_flag_test_and_set(&flush.busy)) {
        cpus_serve_flush();
        arch_pause();
    }
    flush.space = space;
    flush.address = address;
    flush.requests++;
    forget(address);
    for (unsigned cpu = 0; cpu < count; cpu++) {
        if (cpu != me)
            ask(cpu);
    }
    for (unsigned cpu = 0; cpu < count; cpu++)
        wait_for(cpu);
    atomic_flag_clear(&flush.busy);
    if (interrupts)
        arch_interrupts_enable();
}

void cpus_flush_page(uint64_t space, uint64_t address)
{
    flush_all(space, address);
}

void cpus_flush_space(uint64_t space)
{
    flush_all(space, ALL_ADDRESSES);
}
