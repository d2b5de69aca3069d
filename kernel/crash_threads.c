/*
 * crash_threads.c - gather what all CPUs and threads were doing, and who holds which lock.
 *
 * Runs after the kernel has failed, under a guard, with the other CPUs stopped (stop.h): those that
 * did not answer go on, so what they use may change meanwhile.  Lists are followed for a bounded
 * number of steps.
 */
#include "crash_threads.h"

#include "arch/arch.h"
#include "crash_stack.h"
#include "flight.h"
#include "process.h"
#include "schedule.h"
#include "stop.h"
#include "suspect.h"
#include "thread.h"

enum {
    REGISTERS = 128,
    MUTEXES = 64,            /* held at a time: more are not believed */
    STACK_BYTES = 4096,      /* of each thread, innermost */
    SMALL_STACK_BYTES = 768, /* ... where a record must be small */
    SMALL_EVENTS = 12,       /* of each CPU */
};

/* The values of registers, as they follow a struct. */
struct values {
    uint32_t count;
    uint64_t valid[2];
    uint64_t words[REGISTERS];
};

static struct values values; /* too large for a stack that is nearly used up */

/* ---- CPUS ---- */

/* To be called by the CPU whose frame it is. */
static void read_registers(void *frame)
{
    values.count = (uint32_t)arch_record_registers(frame, values.words, REGISTERS, values.valid);
}

static enum crash_cpu_state read_cpu(unsigned cpu, const struct crash_scene *scene)
{
    struct trap_frame *frame = stop_frame(cpu);

    values.count = 0;
    values.valid[0] = values.valid[1] = 0;
    if (cpu == scene->trap->cpu)
        return CRASH_CPU_CRASHED; /* REGS has them */
    if (frame == NULL || !stop_call(cpu, read_registers, frame))
        return CRASH_CPU_SILENT;
    return CRASH_CPU_STOPPED;
}

void crash_gather_cpus(struct crash_writer *writer, const struct crash_scene *scene)
{
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        const struct schedule_cpu *scheduled = schedule_cpu(cpu);
        struct crash_cpu entry = {
            .cpu = cpu,
            .state = read_cpu(cpu, scene),
            .thread = suspect_thread_id(scheduled->current),
            .count = values.count,
            .valid = {values.valid[0], values.valid[1]},
            .ticks = scheduled->ticks,
            .tick_us = scheduled->tick_us,
        };

        crash_append(writer, &entry, sizeof entry);
        crash_append(writer, values.words, values.count * sizeof values.words[0]);
    }
}

/* ---- LOCK ---- */

static void append_spin_locks(struct crash_writer *writer, unsigned cpu)
{
    const struct schedule_cpu *scheduled = schedule_cpu(cpu);
    const struct spin_lock *lock;

    for (unsigned n = 0; (lock = spin_held(cpu, n)) != NULL; n++) {
        struct crash_lock entry = {
            .address = (uint64_t)(uintptr_t)lock,
            .kind = CRASH_LOCK_SPIN,
            .owner_thread = suspect_thread_id(scheduled->current),
            .owner_cpu = cpu,
            .site = lock->site,
        };

        suspect_text(entry.name, sizeof entry.name, lock->name);
        crash_append(writer, &entry, sizeof entry);
    }
}

static uint32_t count_waiters(const struct mutex *mutex)
{
    const struct thread *thread = NULL;
    uint32_t waiters = 0;

    while ((thread = thread_next(thread)) != NULL)
        waiters += thread->wants == mutex;
    return waiters;
}

static void append_mutex(struct crash_writer *writer, const struct mutex *mutex)
{
    const struct thread *owner = suspect_owner(mutex);
    struct crash_lock entry = {
        .address = (uint64_t)(uintptr_t)mutex,
        .kind = CRASH_LOCK_MUTEX,
        .owner_thread = owner == NULL ? 0 : owner->id,
        .owner_cpu = owner == NULL ? 0 : owner->cpu,
        .waiters = count_waiters(mutex),
        .site = mutex->site,
    };

    suspect_text(entry.name, sizeof entry.name, mutex->waiters.lock.name);
    crash_append(writer, &entry, sizeof entry);
}

void crash_gather_locks(struct crash_writer *writer, const struct crash_scene *scene)
{
    const struct mutex *mutex = NULL;

    (void)scene;
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
        append_spin_locks(writer, cpu);
    for (unsigned n = 0; n < MUTEXES && (mutex = mutex_next_held(mutex)) != NULL; n++)
        append_mutex(writer, mutex);
}

/* ---- THRD ---- */

static bool is_told(const struct thread *thread)
{
    return suspect_runs(thread) || thread->has_run || thread->priority != THREAD_IDLE;
}

static uint32_t flags_of(const struct thread *thread)
{
    return (thread->priority == THREAD_IDLE ? (uint32_t)CRASH_THREAD_IDLE : 0) |
           (thread->process != NULL ? (uint32_t)CRASH_THREAD_USER : 0);
}

static void append_thread(struct crash_writer *writer, struct thread *thread)
{
    struct crash_thread entry = {
        .id = thread->id,
        .cpu = thread->cpu,
        .state = suspect_runs(thread) ? CRASH_THREAD_RUNNING : (uint32_t)thread->state,
        .flags = flags_of(thread),
        .process = suspect_process_id(thread->process),
        .priority = thread->priority,
        .since_ms = (uint32_t)(thread->since_us / 1000),
        .stack_bottom = (uint64_t)(uintptr_t)thread->stack,
        .stack_top = (uint64_t)(uintptr_t)thread->stack_top,
        .wait_object = thread->wants != NULL ? (uint64_t)(uintptr_t)thread->wants
                                             : (uint64_t)(uintptr_t)thread->queue,
        .wake_us = thread->wake_us,
    };

    if (suspect_parked(thread)) {
        entry.count = (uint32_t)arch_parked_record(thread->frame, &thread->context, values.words,
                                                   REGISTERS, entry.valid);
    }
    suspect_text(entry.name, sizeof entry.name, thread->name);
    suspect_text(entry.wait, sizeof entry.wait, thread->wait_reason);
    crash_append(writer, &entry, sizeof entry);
    crash_append(writer, values.words, entry.count * sizeof values.words[0]);
}

void crash_gather_threads(struct crash_writer *writer, const struct crash_scene *scene)
{
    struct thread *thread = NULL;

    (void)scene;
    while ((thread = thread_next(thread)) != NULL) {
        if (is_told(thread))
            append_thread(writer, thread);
    }
}

/* ---- TSTK ---- */

static const struct trap_frame *frame_of(const struct thread *thread,
                                         const struct crash_scene *scene)
{
    if (!suspect_runs(thread))
        return thread->frame;
    return thread->cpu == scene->trap->cpu ? NULL : stop_frame(thread->cpu); /* NULL: see STAK */
}

void crash_gather_thread_stacks(struct crash_writer *writer, const struct crash_scene *scene)
{
    uint64_t most = scene->scope <= CRASH_SCOPE_SMALL ? SMALL_STACK_BYTES : STACK_BYTES;
    struct thread *thread = NULL;

    while ((thread = thread_next(thread)) != NULL) {
        const struct trap_frame *frame = is_told(thread) ? frame_of(thread, scene) : NULL;
        struct crash_stack used;

        if (frame == NULL)
            continue;
        used = crash_find_stack(frame);
        crash_append_memory(writer, used.start,
                            used.end - used.start < most ? used.end - used.start : most);
    }
}

/* ---- FLIT ---- */

void crash_gather_flight(struct crash_writer *writer, const struct crash_scene *scene)
{
    unsigned most = scene->scope <= CRASH_SCOPE_SMALL ? SMALL_EVENTS : FLIGHT_EVENTS;

    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        unsigned kept = flight_count(cpu);
        struct crash_event event;

        for (unsigned n = kept < most ? 0 : kept - most; flight_read(cpu, n, &event); n++)
            crash_append(writer, &event, sizeof event);
    }
}
