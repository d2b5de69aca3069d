/*
 * budgets.c - a kernel in which there is something for each operation of budgets.py.
 *
 * The functions and variables have names for GDB.
 */
#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/thread.h"

#define KEEP __attribute__((noinline, noclone, used))

enum {
    AREA_BYTES = 64 * 1024,
    ROUNDS = 1000,
    FOR_EVER_US = 1000000000,
};

int main(void);

uint8_t zeros[AREA_BYTES], noise[AREA_BYTES];
volatile uint64_t total;
volatile int may_begin; /* GDB has attached */
volatile int wanted;    /* threads, those of the kernel included */

static KEEP void ready(void)
{
    total++;
}

static KEEP void done(void)
{
    total++;
}

/* ---- A stack of nine frames, with main() and what has called it ---- */

static KEEP void deepest(void)
{
    total++;
}

static KEEP void descend(long level)
{
    if (level == 0)
        deepest();
    else
        descend(level - 1);
    total++;
}

/* ---- A loop on one line, and one that calls ---- */

static KEEP void loop(void)
{
    volatile uint64_t sums[4] = {0};

    for (unsigned i = 0; i < ROUNDS; i++) sums[i % 4] += i; /* LOOP */
    total += sums[0];
}

static KEEP void hit(long number)
{
    total += (uint64_t)number;
}

static KEEP void hit_all(void)
{
    for (long i = 0; i < ROUNDS; i++)
        hit(i);
    done();
}

/* ---- Threads ---- */

/* With interrupts off, so that no thread is ever found preempted on its way to sleep. */
static KEEP void sleep_for_ever(void *argument)
{
    (void)argument;
    arch_interrupts_disable();
    for (;;)
        thread_sleep_us(FOR_EVER_US);
}

static int workers;

/* THREAD_UNUSED: in any state. */
static int count_threads(enum thread_state state)
{
    int count = 0;

    for (const struct thread *thread = thread_next(NULL); thread != NULL;
         thread = thread_next(thread))
        count += thread->state == state || state == THREAD_UNUSED;
    return count;
}

static KEEP void start_threads(void)
{
    for (int n = count_threads(THREAD_UNUSED); n < wanted; n++) {
        struct thread *thread =
            thread_start("worker", sleep_for_ever, NULL, THREAD_NORMAL, THREAD_ANY_CPU);

        if (thread == NULL)
            arch_panic("no thread");
        thread_detach(thread);
        workers++;
    }
    while (count_threads(THREAD_SLEEPING) < workers)
        thread_yield();
}

/* ---- All of it, again and again ---- */

static void make_noise(void)
{
    uint64_t state = 1;

    for (unsigned i = 0; i < AREA_BYTES; i++) {
        state = state * 6364136223846793005 + 1442695040888963407; /* Knuth, MMIX */
        noise[i] = (uint8_t)(state >> 56);
    }
}

/* With interrupts off: GDB finds it here, and never in a tick. */
static KEEP void wait_for_debugger(void)
{
    log_print(LOG_NOTICE, "there is something to debug");
    arch_interrupts_disable();
    while (!may_begin)
        ;
    arch_interrupts_enable();
}

int main(void)
{
    make_noise();
    wait_for_debugger();
    for (;;) {
        start_threads();
        ready();
        descend(6);
        loop();
        hit_all();
    }
}
