/*
 * stress_work.h - what a kind of work is to run=stress, and which kinds there are.
 *
 * Work is deterministic: it follows a job's own random numbers.  What depends on time is only who
 * comes first.
 */
#ifndef KERNEL_STRESS_WORK_H
#define KERNEL_STRESS_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

enum stress_numbers {
    STRESS_SEED = 1,
};

/* One worker of a kind: a thread, on a CPU of its own for life. */
struct stress_job {
    const struct stress_kind *kind;
    unsigned cpu;
    uint64_t random; /* state of stress_random(), never 0 */
    volatile uint64_t done;
    volatile bool over;
};

/* A kind of work, of which each CPU has one worker. */
struct stress_kind {
    const char *name; /* of what it counts: "mutex turns" */
    unsigned priority;
    void (*run)(struct stress_job *job); /* at least once, until stress_is_over() */
    void (*check)(uint64_t done);        /* after all, with the sum of all; may be NULL */
};

/* Are the workers to end? */
bool stress_is_over(void);

/* The job's next number below `limit`; the same in each run. */
uint64_t stress_random(struct stress_job *job, uint64_t limit);

/* ---- stress_threads.c ---- */

void stress_mutexes(struct stress_job *job);
void stress_check_mutexes(uint64_t done);
void stress_produce(struct stress_job *job);
void stress_check_produced(uint64_t done);
void stress_consume(struct stress_job *job);
void stress_check_consumed(uint64_t done);
void stress_signal(struct stress_job *job);
void stress_check_signals(uint64_t done);
void stress_sleep(struct stress_job *job);
void stress_compute(struct stress_job *job);

/* ---- stress_start.c ---- */

void stress_start_threads(struct stress_job *job);

/* Start threads until there is no place for another; let all of them end.  Returns how many. */
unsigned stress_fill_thread_table(void);

/* ---- stress_memory.c ---- */

void stress_heap(struct stress_job *job);
void stress_frames(struct stress_job *job);

/* ---- stress_programs.c ---- */

void stress_programs(struct stress_job *job);

#endif
