/*
 * wait.c - sleeping, wait queues, mutexes.
 */
#include "panic.h"
#include "schedule.h"
#include "thread.h"

/* ---- Wait queues: their lists are under schedule_lock, what is waited for under their own ---- */

static void enter(struct wait_queue *queue, struct thread *thread)
{
    thread->queue = queue;
    thread->next = NULL;
    if (queue->first == NULL)
        queue->first = thread;
    else
        queue->last->next = thread;
    queue->last = thread;
}

static void leave(struct wait_queue *queue, struct thread *thread)
{
    struct thread **link = &queue->first, *before = NULL;

    while (*link != thread) {
        before = *link;
        link = &(*link)->next;
    }
    *link = thread->next;
    if (queue->last == thread)
        queue->last = before;
    thread->queue = NULL;
}

static void check_may_wait(const struct wait_queue *queue)
{
    unsigned held = queue == NULL ? 0 : 1;

    if (spin_held_count() != held)
        panic("waiting with %u spin locks held", spin_held_count());
}

/* The state of the current thread, from now until somebody wakes it; it runs until it yields. */
static void wait(struct wait_queue *queue, enum thread_state state, const char *reason,
                 uint64_t timeout_us)
{
    struct thread *thread = thread_current();

    spin_lock(&schedule_lock);
    thread->state = state;
    thread->wait_reason = reason;
    thread->timed_out = false;
    if (queue != NULL)
        enter(queue, thread);
    if (timeout_us != 0)
        schedule_sleep_until(thread, arch_time_us() + timeout_us);
    spin_unlock(&schedule_lock);
}

/* Give the CPU away, unless a tick has done it already, and somebody woken the thread since: then
 * it is its turn. */
static void let_others_run(const struct thread *thread)
{
    if (thread->state != THREAD_RUNNING)
        thread_yield();
}

bool wait_in(struct wait_queue *queue, const char *reason, uint64_t timeout_us)
{
    struct thread *thread = thread_current();

    check_may_wait(queue);
    wait(queue, THREAD_WAITING, reason, timeout_us);
    spin_unlock(&queue->lock);
    let_others_run(thread);
    spin_lock(&queue->lock);
    thread->wait_reason = "";
    return !thread->timed_out;
}

void thread_sleep_us(uint64_t us)
{
    if (us == 0) {
        thread_yield();
        return;
    }
    check_may_wait(NULL);
    wait(NULL, THREAD_SLEEPING, "sleep", us);
    let_others_run(thread_current());
    thread_current()->wait_reason = "";
}

/* With schedule_lock held. */
static void wake(struct thread *thread)
{
    if (thread->queue != NULL)
        leave(thread->queue, thread);
    schedule_wake(thread);
}

void thread_time_out(struct thread *thread)
{
    thread->timed_out = true;
    wake(thread);
}

void wake_one(struct wait_queue *queue)
{
    spin_lock(&schedule_lock);
    if (queue->first != NULL)
        wake(queue->first);
    spin_unlock(&schedule_lock);
}

void wake_all(struct wait_queue *queue)
{
    spin_lock(&schedule_lock);
    while (queue->first != NULL)
        wake(queue->first);
    spin_unlock(&schedule_lock);
}

/* ---- Mutexes ---- */

static struct {
    struct spin_lock lock;
    struct mutex *first;
} held = {.lock = SPIN_LOCK("held mutexes")};

static void list_as_held(struct mutex *mutex)
{
    spin_lock(&held.lock);
    mutex->next = held.first;
    held.first = mutex;
    spin_unlock(&held.lock);
}

static void list_as_free(struct mutex *mutex)
{
    struct mutex **link = &held.first;

    spin_lock(&held.lock);
    while (*link != mutex)
        link = &(*link)->next;
    *link = mutex->next;
    spin_unlock(&held.lock);
}

const struct mutex *mutex_held_by(const struct thread *thread)
{
    const struct mutex *mutex;

    spin_lock(&held.lock);
    mutex = held.first;
    while (mutex != NULL && mutex->owner != thread)
        mutex = mutex->next;
    spin_unlock(&held.lock);
    return mutex;
}

void mutex_lock(struct mutex *mutex)
{
    struct thread *thread = thread_current();

    if (mutex->owner == thread)
        panic("mutex \"%s\" is taken a second time, first at pc 0x%lx", mutex->waiters.lock.name,
              mutex->site);
    spin_lock(&mutex->waiters.lock);
    thread->wants = mutex;
    while (mutex->owner != NULL)
        (void)wait_in(&mutex->waiters, mutex->waiters.lock.name, 0);
    thread->wants = NULL;
    mutex->owner = thread;
    mutex->site = (uint64_t)(uintptr_t)__builtin_return_address(0);
    spin_unlock(&mutex->waiters.lock);
    list_as_held(mutex);
}

void mutex_unlock(struct mutex *mutex)
{
    if (mutex->owner != thread_current())
        panic("mutex \"%s\" is not the caller's", mutex->waiters.lock.name);
    list_as_free(mutex);
    spin_lock(&mutex->waiters.lock);
    mutex->owner = NULL;
    wake_one(&mutex->waiters);
    spin_unlock(&mutex->waiters.lock);
}

const struct mutex *mutex_next_held(const struct mutex *mutex)
{
    return mutex == NULL ? held.first : mutex->next;
}
