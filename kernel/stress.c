/*
 * stress.c - starts the workers of run=stress, waits for their ends, and looks at what is left.
 *
 * Nothing may be: no thread, no program, no lock, no block of the heap, no frame.
 */
#include "stress.h"

#include <stdatomic.h>

#include "console.h"
#include "debugger.h"
#include "frames.h"
#include "heap.h"
#include "panic.h"
#include "process.h"
#include "schedule.h"
#include "stress_work.h"
#include "thread.h"

enum {
    EXIT_DONE = 0,
    DEFAULT_SECONDS = 10,
    MAX_SECONDS = 1000000,
    NAP_US = 20000,
    PATIENCE = 3000, /* naps, for workers to end */
    FILLINGS = 3,    /* of the table of threads */
    HEAP_WARM_MIB = 8,
};

static const struct stress_kind kinds[] = {
    {"mutex turns", THREAD_NORMAL, stress_mutexes, stress_check_mutexes},
    {"items produced", THREAD_NORMAL, stress_produce, stress_check_produced},
    {"items consumed", THREAD_HIGH, stress_consume, stress_check_consumed},
    {"signals passed on", THREAD_NORMAL, stress_signal, stress_check_signals},
    {"sleeps", THREAD_HIGH, stress_sleep, NULL},
    {"computations", THREAD_LOW, stress_compute, NULL},
    {"threads", THREAD_NORMAL, stress_start_threads, NULL},
    {"heap blocks", THREAD_NORMAL, stress_heap, NULL},
    {"frames", THREAD_NORMAL, stress_frames, NULL},
    {"programs", THREAD_NORMAL, stress_programs, NULL},
};

enum {
    KINDS = sizeof kinds / sizeof kinds[0],
};

static struct {
    atomic_bool over;
    struct stress_job jobs[ARCH_CPUS][KINDS];
} stress;

/* What must be there afterwards as it was before. */
struct state {
    size_t frames_used;
    struct heap_counts heap;
    unsigned threads;
};

bool stress_is_over(void)
{
    return atomic_load(&stress.over);
}

/* xorshift64 (Marsaglia 2003). */
uint64_t stress_random(struct stress_job *job, uint64_t limit)
{
    job->random ^= job->random << 13;
    job->random ^= job->random >> 7;
    job->random ^= job->random << 17;
    return job->random % limit;
}

/* ---- What is there ---- */

static unsigned count_threads(void)
{
    unsigned count = 0;

    for (const struct thread *thread = thread_next(NULL); thread != NULL;
         thread = thread_next(thread))
        count += thread->state != THREAD_ENDED;
    return count;
}

static struct state look(void)
{
    return (struct state){frames_counts().used, heap_counts(), count_threads()};
}

/* Wait until it is so, for there is something that still has to end.  Naps are counted, not time:
 * none passes while the machine stands still. */
static bool becomes(bool (*condition)(const void *), const void *argument)
{
    for (unsigned naps = 0; !condition(argument); naps++) {
        if (naps == PATIENCE)
            return false;
        thread_sleep_us(NAP_US);
    }
    return true;
}

static bool has_threads(const void *argument)
{
    return count_threads() == *(const unsigned *)argument;
}

static bool holds_nothing(const void *argument)
{
    return spin_held(*(const unsigned *)argument, 0) == NULL;
}

/* Frames may have become the heap's: it keeps what it has. */
static void check_memory(const struct state *before)
{
    struct state now = look();
    size_t grown = (now.heap.backed - before->heap.backed) / ARCH_PAGE_BYTES;

    heap_check();
    if (now.heap.blocks != before->heap.blocks || now.heap.bytes != before->heap.bytes)
        panic("stress: %zu blocks of the heap are left, before there were %zu", now.heap.blocks,
              before->heap.blocks);
    if (now.frames_used - grown != before->frames_used)
        panic("stress: %zu frames are in use, %zu of them new in the heap; before there were %zu",
              now.frames_used, grown, before->frames_used);
}

static void check_nothing_is_left(const struct state *before)
{
    if (process_wait(NULL, 0, NULL) >= 0)
        panic("stress: a program is left that nobody has waited for");
    if (!becomes(has_threads, &before->threads))
        panic("stress: there are %u threads, before there were %u", count_threads(),
              before->threads);
    if (mutex_next_held(NULL) != NULL)
        panic("stress: mutex \"%s\" is held", mutex_next_held(NULL)->waiters.lock.name);
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        if (!becomes(holds_nothing, &cpu))
            panic("stress: CPU %u holds a spin lock for ever", cpu);
    }
    check_memory(before);
}

/* ---- The workers ---- */

static void work(void *argument)
{
    struct stress_job *job = argument;

    kassert(arch_cpu_id() == job->cpu);
    job->kind->run(job);
    kassert(arch_cpu_id() == job->cpu && spin_held_count() == 0);
    job->over = true;
}

static void start_job(unsigned cpu, unsigned kind)
{
    struct stress_job *job = &stress.jobs[cpu][kind];
    struct thread *thread;

    *job = (struct stress_job){.kind = &kinds[kind], .cpu = cpu, .random = STRESS_SEED};
    job->random += (uint64_t)(cpu * KINDS + kind) << 32;
    thread = thread_start(kinds[kind].name, work, job, kinds[kind].priority, (int)cpu);
    if (thread == NULL)
        panic("stress: no place for the worker of \"%s\" on CPU %u", kinds[kind].name, cpu);
    thread_detach(thread);
}

static bool is_job_over(const void *argument)
{
    return ((const struct stress_job *)argument)->over;
}

/* A wakeup that was lost shows here. */
static void wait_for_workers(void)
{
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        for (unsigned kind = 0; kind < KINDS; kind++) {
            const struct stress_job *job = &stress.jobs[cpu][kind];

            if (!becomes(is_job_over, job))
                panic("stress: the worker of \"%s\" on CPU %u does not end, having done %lu",
                      job->kind->name, cpu, job->done);
        }
    }
}

/* What the heap needs at most, with tables for it: from here on its memory is counted exactly. */
static void warm_heap(void)
{
    void *blocks[HEAP_WARM_MIB];

    for (size_t i = 0; i < HEAP_WARM_MIB; i++)
        blocks[i] = heap_alloc(HEAP_MAX_BYTES);
    for (size_t i = 0; i < HEAP_WARM_MIB; i++)
        heap_free(blocks[i]);
}

static void run_workers(unsigned seconds)
{
    atomic_store(&stress.over, false);
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        for (unsigned kind = 0; kind < KINDS; kind++)
            start_job(cpu, kind);
    }
    thread_sleep_us(seconds * UINT64_C(1000000));
    atomic_store(&stress.over, true);
    wait_for_workers();
}

/* ---- The report ---- */

static uint64_t sum_of(unsigned kind)
{
    uint64_t sum = 0;

    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        uint64_t done = stress.jobs[cpu][kind].done;

        if (done == 0)
            panic("stress: the worker of \"%s\" on CPU %u has done nothing", kinds[kind].name, cpu);
        sum += done;
    }
    return sum;
}

static void report_kinds(void)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        uint64_t sum = sum_of(kind);

        console_print("    %-20s%12lu\n", kinds[kind].name, sum);
        if (kinds[kind].check != NULL)
            kinds[kind].check(sum);
    }
}

static void report_cpus(void)
{
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        const struct schedule_cpu *shown = schedule_cpu(cpu);

        console_print("    CPU %u: %lu ticks, %lu switches\n", cpu, shown->ticks, shown->switches);
    }
}

static unsigned read_seconds(const char *text)
{
    unsigned seconds = 0;

    while (*text >= '0' && *text <= '9' && seconds < MAX_SECONDS)
        seconds = seconds * 10 + (unsigned)(*text++ - '0');
    return seconds == 0 ? DEFAULT_SECONDS : seconds;
}

void stress_run(const char *argument)
{
    unsigned seconds = read_seconds(argument), places = stress_fill_thread_table();
    struct state before;

    console_print("stress: seed %u, %u s, %u CPUs\n", (unsigned)STRESS_SEED, seconds,
                  arch_cpu_count());
    warm_heap();
    before = look(); /* from here on, every place has its stack */
    for (unsigned i = 1; i < FILLINGS; i++)
        kassert(stress_fill_thread_table() == places);
    run_workers(seconds);
    check_nothing_is_left(&before);
    report_kinds();
    report_cpus();
    kassert(stress_fill_thread_table() == places);
    check_nothing_is_left(&before);
    console_print("stress: all is well\n");
    console_flush();
    debugger_exited(EXIT_DONE);
    arch_exit_emulator(EXIT_DONE);
}
