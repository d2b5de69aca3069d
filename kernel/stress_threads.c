/*
 * stress_threads.c - threads that wait for each other in every way there is, and find what they
 * share as it has to be.
 */
#include "panic.h"
#include "stress_work.h"
#include "thread.h"

enum {
    MUTEXES = 3,
    NAP_US = 3000,
    SLOTS = 8,
    PATIENCE_US = 30000,
    LONGEST_SLEEP_US = 40000,
    COMPUTE_ROUNDS = 100000,
};

/* ---- Mutexes: what they protect is in order whenever nobody holds them ---- */

static struct {
    struct mutex mutexes[MUTEXES];
    volatile uint64_t first[MUTEXES], second[MUTEXES]; /* the same, outside of a turn */
} turns = {.mutexes = {MUTEX("first turn"), MUTEX("second turn"), MUTEX("third turn")}};

static void take_turn(struct stress_job *job, unsigned i)
{
    uint64_t before = turns.first[i];

    kassert(turns.second[i] == before && turns.mutexes[i].owner == thread_current());
    kassert(arch_is_text(turns.mutexes[i].site));
    turns.first[i] = before + 1;
    switch (stress_random(job, 8)) {
    case 0:
        thread_sleep_us(NAP_US);
        break;
    case 1:
    case 2:
        thread_yield();
        break;
    default:
        break;
    }
    kassert(turns.first[i] == before + 1 && turns.second[i] == before);
    turns.second[i] = before + 1;
}

/* Sometimes two at a time, always in the same order. */
void stress_mutexes(struct stress_job *job)
{
    do {
        unsigned i = (unsigned)stress_random(job, MUTEXES);
        bool both = i + 1 < MUTEXES && stress_random(job, 4) == 0;

        mutex_lock(&turns.mutexes[i]);
        if (both) {
            mutex_lock(&turns.mutexes[i + 1]);
            take_turn(job, i + 1);
            mutex_unlock(&turns.mutexes[i + 1]);
        }
        take_turn(job, i);
        mutex_unlock(&turns.mutexes[i]);
        job->done += both ? 2 : 1;
    } while (!stress_is_over());
    kassert(mutex_held_by(thread_current()) == NULL);
}

void stress_check_mutexes(uint64_t done)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MUTEXES; i++) {
        kassert(turns.first[i] == turns.second[i] && turns.mutexes[i].owner == NULL);
        sum += turns.first[i];
    }
    kassert(sum == done);
}

/* ---- A wait queue: each item that comes goes once ---- */

static struct {
    struct wait_queue queue; /* its lock is over all of this */
    uint64_t slots[SLOTS];
    uint64_t put, taken, sum_put, sum_taken;
    unsigned fed;   /* consumers that have had something */
    unsigned ended; /* producers that put nothing any more */
} belt = {.queue = WAIT_QUEUE("belt")};

/* Wait, with a time limit or without; time that has not passed is no time-out. */
static void wait_for_belt(struct stress_job *job, const char *reason)
{
    uint64_t timeout_us = stress_random(job, 2) * PATIENCE_US, began_us = arch_time_us();

    if (!wait_in(&belt.queue, reason, timeout_us))
        kassert(timeout_us != 0 && arch_time_us() - began_us >= timeout_us);
}

/* Until each consumer has had something, however slow the machine is. */
void stress_produce(struct stress_job *job)
{
    spin_lock(&belt.queue.lock);
    while (!stress_is_over() || job->done == 0 || belt.fed < arch_cpu_count()) {
        if (belt.put - belt.taken == SLOTS) {
            wait_for_belt(job, "room on the belt");
            continue;
        }
        belt.slots[belt.put % SLOTS] = belt.put + 1;
        belt.sum_put += ++belt.put;
        job->done++;
        wake_all(&belt.queue);
    }
    belt.ended++;
    wake_all(&belt.queue);
    spin_unlock(&belt.queue.lock);
}

/* Until nothing can come any more. */
void stress_consume(struct stress_job *job)
{
    spin_lock(&belt.queue.lock);
    while (belt.ended < arch_cpu_count() || belt.put != belt.taken) {
        uint64_t *slot = &belt.slots[belt.taken % SLOTS];

        if (belt.put == belt.taken) {
            wait_for_belt(job, "an item on the belt");
            continue;
        }
        kassert(*slot == belt.taken + 1);
        belt.sum_taken += *slot;
        *slot = 0;
        belt.taken++;
        belt.fed += job->done++ == 0;
        wake_all(&belt.queue);
    }
    wake_all(&belt.queue);
    spin_unlock(&belt.queue.lock);
}

void stress_check_produced(uint64_t done)
{
    kassert(belt.put == done && belt.sum_put == done * (done + 1) / 2);
}

void stress_check_consumed(uint64_t done)
{
    kassert(belt.taken == done && belt.sum_taken == belt.sum_put);
    kassert(belt.queue.first == NULL);
}

/* ---- A signal goes from CPU to CPU: a wakeup that is lost stops it for ever ---- */

#define RING WAIT_QUEUE("ring")

static struct {
    struct wait_queue queues[ARCH_CPUS]; /* each lock is over its place in `arrived` */
    bool arrived[ARCH_CPUS];
    uint64_t passed; /* belongs to whoever has the signal */
} ring = {.queues = {RING, RING, RING, RING, RING, RING, RING, RING}};
_Static_assert(ARCH_CPUS == 8, "each has a queue in the ring");

static void pass_to(unsigned cpu)
{
    spin_lock(&ring.queues[cpu].lock);
    kassert(!ring.arrived[cpu]);
    ring.arrived[cpu] = true;
    wake_one(&ring.queues[cpu]);
    spin_unlock(&ring.queues[cpu].lock);
}

static void wait_for_signal(unsigned cpu)
{
    spin_lock(&ring.queues[cpu].lock);
    while (!ring.arrived[cpu])
        (void)wait_in(&ring.queues[cpu], "the signal", 0);
    ring.arrived[cpu] = false;
    spin_unlock(&ring.queues[cpu].lock);
}

/* In the last round, each passes it on once more; then nobody has it. */
void stress_signal(struct stress_job *job)
{
    bool last_round = false;

    if (job->cpu == 0)
        pass_to(0);
    while (!last_round) {
        wait_for_signal(job->cpu);
        last_round = stress_is_over();
        ring.passed++;
        job->done++;
        pass_to((job->cpu + 1) % arch_cpu_count());
        thread_yield();
    }
}

void stress_check_signals(uint64_t done)
{
    kassert(ring.passed == done);
}

/* ---- Time ---- */

void stress_sleep(struct stress_job *job)
{
    do {
        uint64_t us = 1 + stress_random(job, LONGEST_SLEEP_US), began_us = arch_time_us();

        thread_sleep_us(us);
        kassert(arch_time_us() - began_us >= us);
        job->done++;
    } while (!stress_is_over());
}

/* Never waits: others have to interrupt it.  The same numbers come out each time. */
void stress_compute(struct stress_job *job)
{
    uint64_t expected = 0;

    do {
        uint64_t value = STRESS_SEED;

        for (unsigned i = 0; i < COMPUTE_ROUNDS; i++)
            value = value * 6364136223846793005 + 1442695040888963407; /* Knuth's MMIX */
        kassert(expected == 0 || value == expected);
        expected = value;
        job->done++;
    } while (!stress_is_over());
}
