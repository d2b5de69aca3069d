/*
 * flight.c - the rings of the flight recorder.
 */
#include "flight.h"

#include <stdatomic.h>

static struct {
    atomic_uint count; /* events so far */
    struct crash_event events[FLIGHT_EVENTS];
} rings[ARCH_CPUS];

static void note(struct crash_event event)
{
    unsigned cpu = arch_cpu_id();
    unsigned place = atomic_fetch_add(&rings[cpu].count, 1);

    event.time_us = arch_time_us();
    event.cpu = (uint16_t)cpu;
    rings[cpu].events[place % FLIGHT_EVENTS] = event;
}

enum trap_verdict flight_trap(struct trap *trap)
{
    note((struct crash_event){
        .kind = CRASH_EVENT_TRAP,
        .number = trap->vector,
        .pc = trap->pc,
        .argument = trap->kind == TRAP_PAGE_FAULT ? trap->address : trap->error,
    });
    return TRAP_DECLINED;
}

void flight_switch(const struct thread *from, const struct thread *to)
{
    note((struct crash_event){
        .kind = CRASH_EVENT_SWITCH,
        .number = to->id,
        .pc = arch_frame_pc(to->frame),
        .argument = from->id,
    });
}

void flight_syscall(const struct trap *trap, uint64_t number, uint64_t argument)
{
    note((struct crash_event){.kind = CRASH_EVENT_SYSCALL,
                              .number = (uint32_t)number,
                              .pc = trap->pc,
                              .argument = argument});
}

void flight_syscall_end(const struct trap *trap, uint64_t number, int64_t result)
{
    note((struct crash_event){.kind = CRASH_EVENT_SYSCALL_END,
                              .number = (uint32_t)number,
                              .pc = trap->pc,
                              .argument = (uint64_t)result});
}

unsigned flight_count(unsigned cpu)
{
    unsigned count = atomic_load(&rings[cpu].count);

    return count < FLIGHT_EVENTS ? count : FLIGHT_EVENTS;
}

bool flight_read(unsigned cpu, unsigned n, struct crash_event *event)
{
    unsigned count = atomic_load(&rings[cpu].count);
    unsigned kept = flight_count(cpu);

    if (n >= kept)
        return false;
    *event = rings[cpu].events[(count - kept + n) % FLIGHT_EVENTS];
    return true;
}
