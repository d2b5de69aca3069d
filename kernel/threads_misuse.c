/*
 * threads_misuse.c - mistakes with locks, waits and stacks, on purpose.
 */
#include "threads_misuse.h"

#include <stddef.h>

#include "arch/arch.h"
#include "lock.h"
#include "string.h"
#include "thread.h"

static struct spin_lock outer = SPIN_LOCK("outer"), inner = SPIN_LOCK("inner");
static struct mutex mutex = MUTEX("misused");
static struct wait_queue queue = WAIT_QUEUE("misused");

static void spin_twice(void)
{
    spin_lock(&outer);
    spin_lock(&outer);
}

static void spin_out_of_order(void)
{
    spin_lock(&outer);
    spin_lock(&inner);
    spin_unlock(&outer);
}

static void spin_unlock_free(void)
{
    spin_unlock(&outer);
}

static void mutex_twice(void)
{
    mutex_lock(&mutex);
    mutex_lock(&mutex);
}

static void mutex_unlock_free(void)
{
    mutex_unlock(&mutex);
}

static void wait_with_spin(void)
{
    spin_lock(&outer);
    spin_lock(&queue.lock);
    (void)wait_in(&queue, "nothing", 0);
}

static void sleep_with_spin(void)
{
    spin_lock(&outer);
    thread_sleep_us(1);
}

static void yield_with_spin(void)
{
    spin_lock(&outer);
    thread_yield();
}

static void end_with_mutex(void)
{
    mutex_lock(&mutex);
    thread_exit(0);
}

/* NOLINTNEXTLINE(misc-no-recursion): that is the mistake */
static __attribute__((noinline)) unsigned dig(unsigned depth)
{
    volatile unsigned room[64];

    room[depth % 64] = depth;
    return depth == UINT32_MAX ? 0 : dig(depth + 1) + room[depth % 64];
}

static void overflow_in_thread(void *argument)
{
    (void)argument;
    (void)dig(0);
}

static void overflow(void)
{
    (void)thread_join(thread_start("digger", overflow_in_thread, NULL, THREAD_NORMAL, 0));
}

static const struct {
    const char *name;
    void (*misuse)(void);
} misuses[] = {
    {"spin-twice", spin_twice},
    {"spin-out-of-order", spin_out_of_order},
    {"spin-unlock-free", spin_unlock_free},
    {"mutex-twice", mutex_twice},
    {"mutex-unlock-free", mutex_unlock_free},
    {"wait-with-spin", wait_with_spin},
    {"sleep-with-spin", sleep_with_spin},
    {"yield-with-spin", yield_with_spin},
    {"end-with-mutex", end_with_mutex},
    {"overflow", overflow},
};

void threads_misuse(const char *name)
{
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        if (strcmp(misuses[i].name, name) == 0)
            misuses[i].misuse();
    }
}
