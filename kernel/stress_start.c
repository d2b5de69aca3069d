/*
 * stress_start.c - threads that are started and joined, a few at a time on each CPU, or as many as
 * there can be.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "panic.h"
#include "stress_work.h"
#include "thread.h"

enum {
    BATCH = 6,
    STATUSES = 256,
    TICK_US = 10000,
};

/* What a thread is to do. */
struct order {
    int cpu; /* THREAD_ANY_CPU, or where it must find itself */
    int status;
    unsigned naps;
    atomic_uint *done;
};

static void obey(void *argument)
{
    struct order order = *(const struct order *)argument;

    kassert(order.cpu == THREAD_ANY_CPU || order.cpu == (int)arch_cpu_id());
    for (unsigned i = 0; i < order.naps; i++)
        thread_yield();
    atomic_fetch_add(order.done, 1);
    thread_exit(order.status);
}

static void start_and_join(struct stress_job *job)
{
    struct order orders[BATCH];
    struct thread *threads[BATCH];
    size_t count = 1 + stress_random(job, BATCH);
    atomic_uint done = 0;

    for (size_t i = 0; i < count; i++) {
        bool anywhere = stress_random(job, 2) == 0;

        orders[i] = (struct order){
            .cpu = anywhere ? THREAD_ANY_CPU : (int)stress_random(job, arch_cpu_count()),
            .status = (int)stress_random(job, STATUSES),
            .naps = (unsigned)stress_random(job, 3),
            .done = &done,
        };
        threads[i] =
            thread_start("stress child", obey, &orders[i],
                         (enum thread_priority)stress_random(job, THREAD_LOW), orders[i].cpu);
        if (threads[i] == NULL)
            panic("stress: there is no place for a thread");
    }
    for (size_t i = count; i-- > 0;)
        kassert(thread_join(threads[i]) == orders[i].status);
    kassert(atomic_load(&done) == count);
    job->done += count;
}

void stress_start_threads(struct stress_job *job)
{
    do
        start_and_join(job);
    while (!stress_is_over());
}

/* ---- Until there is no place ---- */

static struct {
    atomic_uint begun;
    atomic_bool over;
} crowd;

static void stand_around(void *argument)
{
    (void)argument;
    atomic_fetch_add(&crowd.begun, 1);
    while (!atomic_load(&crowd.over))
        thread_sleep_us(TICK_US);
}

/* A place is free when the CPU of the thread that ended has had another trap: a host that is busy
 * may hold that CPU up for many ticks of this one. */
static void wait_for_places(void)
{
    for (const struct thread *thread = thread_next(NULL); thread != NULL;
         thread = thread_next(thread)) {
        while (thread->state == THREAD_ENDED && !thread->left)
            thread_sleep_us(TICK_US);
    }
}

unsigned stress_fill_thread_table(void)
{
    static struct thread *threads[THREADS];
    unsigned count = 0;

    atomic_store(&crowd.begun, 0);
    atomic_store(&crowd.over, false);
    wait_for_places();
    while (count < THREADS &&
           (threads[count] =
                thread_start("crowd", stand_around, NULL, THREAD_NORMAL, THREAD_ANY_CPU)) != NULL)
        count++;
    while (atomic_load(&crowd.begun) < count)
        thread_sleep_us(TICK_US);
    atomic_store(&crowd.over, true);
    for (unsigned i = 0; i < count; i++)
        kassert(thread_join(threads[i]) == 0);
    kassert(atomic_load(&crowd.begun) == count);
    return count;
}
