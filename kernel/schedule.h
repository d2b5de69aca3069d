/*
 * schedule.h - who runs next: a run queue for each CPU and priority, round robin.
 *
 * A thread stays with its CPU.  One lock, schedule_lock, is over all run queues, wait queues and
 * states: short sections, nothing inside them waits.
 */
#ifndef KERNEL_SCHEDULE_H
#define KERNEL_SCHEDULE_H

#include <stdint.h>

#include "lock.h"
#include "thread.h"
#include "trap/trap.h"

enum schedule_numbers {
    SCHEDULE_HZ = 100, /* ticks a second, each the end of a time slice */
};

extern struct spin_lock schedule_lock;

/* What a CPU is doing.  Anywhere, where CPUs stand still. */
struct schedule_cpu {
    struct thread *current;
    struct thread *idle;
    uint64_t ticks, tick_us; /* how many, and when the last one was */
    uint64_t switches;
};
const struct schedule_cpu *schedule_cpu(unsigned cpu);

/* This CPU runs `current` from now on, and `idle` when there is nothing else. */
void schedule_init_cpu(struct thread *current, struct thread *idle);

/* Make a thread runnable; have it wake by itself at wake_us.  With schedule_lock held. */
void schedule_wake(struct thread *thread);
void schedule_sleep_until(struct thread *thread, uint64_t wake_us);

/* Give a thread its CPU, or the one with the fewest threads (THREAD_ANY_CPU); take it away again.
 * With schedule_lock held. */
void schedule_place(struct thread *thread, int cpu);
void schedule_remove(struct thread *thread);

/* Of the trap table's row for interrupts: the tick; a yield; word that there is something more
 * urgent to do, which costs a thread its turn only if that is true.  All may replace trap->frame by
 * another thread's. */
void schedule_tick(struct trap *trap);
void schedule_next(struct trap *trap);
void schedule_preempt(struct trap *trap);

#endif
