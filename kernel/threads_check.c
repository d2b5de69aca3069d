/*
 * threads_check.c - who runs when: turns, priorities, waits, sleeps, mutexes; and where.
 *
 * What has to come in an order writes itself down in a trace.  Threads that must not be interrupted
 * for that switch interrupts off: a yield does not need them.
 */
#include "threads_check.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "console.h"
#include "panic.h"
#include "process.h"
#include "schedule.h"
#include "thread.h"
#include "threads_misuse.h"

enum {
    EXIT_DONE = 0,
    EXIT_NOT_NOTICED = 1,
    TRACE = 32,
    WORKERS = 4,
    ROUNDS = 5,
    TIMEOUT_US = 30000,
    LINES = 40, /* of each CPU */
};

static struct {
    atomic_uint count;
    unsigned marks[TRACE];
} trace;

static void mark(unsigned number)
{
    unsigned place = atomic_fetch_add(&trace.count, 1);

    kassert(place < TRACE);
    trace.marks[place] = number;
}

static struct thread *start(const char *name, void (*function)(void *), unsigned number,
                            enum thread_priority priority)
{
    struct thread *thread =
        thread_start(name, function, (void *)(uintptr_t)number, priority, (int)arch_cpu_id());

    kassert(thread != NULL);
    return thread;
}

/* None of them begins before all are there. */
static void start_workers(struct thread *threads[WORKERS], void (*function)(void *),
                          enum thread_priority priority)
{
    kassert(arch_interrupts_disable());
    atomic_store(&trace.count, 0);
    for (unsigned i = 0; i < WORKERS; i++)
        threads[i] = start("worker", function, i, priority);
    arch_interrupts_enable();
}

static void join_workers(struct thread *threads[WORKERS])
{
    for (unsigned i = 0; i < WORKERS; i++)
        kassert(thread_join(threads[i]) == 0);
}

static unsigned number_of(void *argument)
{
    return (unsigned)(uintptr_t)argument;
}

/* ---- Turns ---- */

static void take_turns(void *argument)
{
    (void)arch_interrupts_disable();
    for (unsigned i = 0; i < ROUNDS; i++) {
        mark(number_of(argument));
        thread_yield();
    }
}

/* A tick may come before a thread has begun: who begins is open, the order is not. */
static void check_round_robin(void)
{
    struct thread *threads[WORKERS];
    unsigned seen = 0;

    start_workers(threads, take_turns, THREAD_HIGH);
    join_workers(threads);
    kassert(atomic_load(&trace.count) == ROUNDS * WORKERS);
    for (unsigned i = 0; i < WORKERS; i++)
        seen |= 1u << trace.marks[i];
    kassert(seen == (1u << WORKERS) - 1);
    for (unsigned i = WORKERS; i < ROUNDS * WORKERS; i++)
        kassert(trace.marks[i] == trace.marks[i - WORKERS]);
}

/* Nobody gives way: a thread goes on only if the others have been interrupted. */
static void wait_for_all(void *argument)
{
    mark(number_of(argument));
    while (atomic_load(&trace.count) < WORKERS)
        arch_pause();
}

static void check_preemption(void)
{
    struct thread *threads[WORKERS];

    start_workers(threads, wait_for_all, THREAD_NORMAL);
    join_workers(threads);
}

static void mark_once(void *argument)
{
    mark(number_of(argument));
}

static void check_priorities(void)
{
    static const enum thread_priority order[] = {THREAD_HIGH, THREAD_NORMAL, THREAD_LOW};
    enum { COUNT = sizeof order / sizeof order[0] };
    struct thread *threads[COUNT];

    kassert(arch_interrupts_disable());
    atomic_store(&trace.count, 0);
    for (unsigned i = COUNT; i-- > 0;)
        threads[i] = start("priority", mark_once, i, order[i]);
    arch_interrupts_enable();
    for (unsigned i = COUNT; i-- > 0;)
        (void)thread_join(threads[i]);
    for (unsigned i = 0; i < COUNT; i++)
        kassert(trace.marks[i] == i);
}

/* ---- Waiting ---- */

static struct wait_queue queue = WAIT_QUEUE("check");

static void wait_and_mark(void *argument)
{
    spin_lock(&queue.lock);
    kassert(wait_in(&queue, "the check", 0));
    spin_unlock(&queue.lock);
    mark(number_of(argument));
}

/* They wait in the order in which they were started. */
static void check_wake_order(void)
{
    struct thread *threads[WORKERS];

    atomic_store(&trace.count, 0);
    for (unsigned i = 0; i < WORKERS; i++) {
        threads[i] = start("waiter", wait_and_mark, i, THREAD_NORMAL);
        while (queue.last != threads[i])
            thread_yield();
        kassert(threads[i]->state == THREAD_WAITING && threads[i]->queue == &queue);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        spin_lock(&queue.lock);
        wake_one(&queue);
        spin_unlock(&queue.lock);
        kassert(thread_join(threads[i]) == 0 && trace.marks[i] == i);
    }
    kassert(queue.first == NULL);
}

static void check_timeout(void)
{
    uint64_t began_us = arch_time_us();

    spin_lock(&queue.lock);
    kassert(!wait_in(&queue, "nothing", TIMEOUT_US));
    spin_unlock(&queue.lock);
    kassert(arch_time_us() - began_us >= TIMEOUT_US);
    kassert(queue.first == NULL && thread_current()->wake_us == 0);
}

static struct {
    atomic_uint asleep;
    uint64_t until_us[WORKERS];
} sleepers;

/* The later it was started, the earlier it wakes; all of them perhaps at the same tick. */
static void sleep_and_mark(void *argument)
{
    unsigned number = number_of(argument);

    atomic_fetch_add(&sleepers.asleep, 1);
    thread_sleep_us(TIMEOUT_US - number * 500);
    mark(number);
}

static void check_sleep_order(void)
{
    struct thread *threads[WORKERS];

    start_workers(threads, sleep_and_mark, THREAD_HIGH);
    for (unsigned i = 0; i < WORKERS; i++) {
        while (threads[i]->state != THREAD_SLEEPING)
            thread_yield();
        sleepers.until_us[i] = threads[i]->wake_us;
    }
    join_workers(threads);
    for (unsigned i = 1; i < WORKERS; i++)
        kassert(sleepers.until_us[trace.marks[i - 1]] <= sleepers.until_us[trace.marks[i]]);
}

/* ---- Mutexes ---- */

static struct mutex mutex = MUTEX("check");

static void lock_and_mark(void *argument)
{
    mutex_lock(&mutex);
    kassert(mutex.owner == thread_current() && arch_is_text(mutex.site));
    kassert(mutex_held_by(thread_current()) == &mutex);
    mark(number_of(argument));
    mutex_unlock(&mutex);
}

static void check_mutex(void)
{
    struct thread *threads[WORKERS];
    uint64_t site;

    mutex_lock(&mutex);
    site = mutex.site;
    kassert(mutex.owner == thread_current() && mutex_next_held(NULL) == &mutex);
    start_workers(threads, lock_and_mark, THREAD_NORMAL);
    for (unsigned i = 0; i < WORKERS; i++) {
        while (threads[i]->state != THREAD_WAITING)
            thread_yield();
        kassert(threads[i]->wants == &mutex);
    }
    kassert(atomic_load(&trace.count) == 0);
    mutex_unlock(&mutex);
    join_workers(threads);
    kassert(atomic_load(&trace.count) == WORKERS);
    kassert(mutex.owner == NULL && mutex.site != site && mutex_next_held(NULL) == NULL);
}

/* ---- Ends, stacks, floating point ---- */

static void exit_with(void *argument)
{
    thread_exit((int)number_of(argument));
}

static void check_join(void)
{
    for (unsigned status = 0; status < WORKERS; status++)
        kassert(thread_join(start("ends", exit_with, status, THREAD_NORMAL)) == (int)status);
}

/* Memory where a stack is, and none below. */
static void check_stacks(void)
{
    struct crash_walk walk;

    for (const struct thread *thread = thread_next(NULL); thread != NULL;
         thread = thread_next(thread)) {
        uint64_t bottom = (uint64_t)(uintptr_t)thread->stack;

        arch_walk(bottom, &walk);
        kassert(walk.mapped != 0);
        arch_walk(bottom - 1, &walk);
        kassert(walk.mapped == 0);
    }
}

/* As many programs as share a CPU, each with numbers of its own in its registers. */
static void check_floats(void)
{
    unsigned count = 2 * arch_cpu_count();

    for (unsigned i = 0; i < count; i++)
        kassert(process_start("floats", "100", NULL) > 0);
    for (unsigned i = 0; i < count; i++)
        kassert(process_wait(NULL, 0, NULL) == 0);
}

/* ---- The console: a line is one piece ---- */

static void print_lines(void *argument)
{
    for (unsigned line = 0; line < LINES; line++)
        console_print("line %u of CPU %u: %s\n", line, number_of(argument),
                      "the quick brown fox jumps over the lazy dog");
}

static void print_from_all(void)
{
    struct thread *threads[ARCH_CPUS] = {NULL};

    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
        threads[cpu] =
            thread_start("printer", print_lines, (void *)(uintptr_t)cpu, THREAD_NORMAL, (int)cpu);
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++)
        (void)thread_join(threads[cpu]);
}

static const struct {
    const char *name;
    void (*check)(void);
} checks[] = {
    {"round robin", check_round_robin},
    {"preemption", check_preemption},
    {"priorities", check_priorities},
    {"wake order", check_wake_order},
    {"timeout", check_timeout},
    {"sleep order", check_sleep_order},
    {"mutex", check_mutex},
    {"join", check_join},
    {"stacks", check_stacks},
    {"floats", check_floats},
    {"console", print_from_all},
};

static void leave(unsigned status)
{
    console_flush();
    arch_exit_emulator(status);
}

void threads_check_run(const char *argument)
{
    if (argument[0] != '\0') {
        threads_misuse(argument);
        console_print("threads: %s was not noticed\n", argument);
        leave(EXIT_NOT_NOTICED);
        return;
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        checks[i].check();
        console_print("threads: %s: as it should be\n", checks[i].name);
    }
    leave(EXIT_DONE);
}
