/*
 * stress_programs.c - user programs: started, waited for, and ended as they have to.
 *
 * Each checks what it does by itself, and says with its status whether it was right.
 */
#include "error.h"
#include "panic.h"
#include "process.h"
#include "stress_work.h"
#include "thread.h"

enum {
    STATUS_ARITHMETIC = 128 + 8, /* kernel/program_trap.c */
    STATUS_MEMORY = 128 + 11,
};

static const struct run {
    const char *program, *argument;
    int64_t status;
} runs[] = {
    {"calls", "60", 0},
    {"churn", "8", 0},
    {"compute", "1", 0},
    {"faults", "divide", STATUS_ARITHMETIC},
    {"faults", "kernel-write", STATUS_MEMORY},
    {"faults", "sleeper-fault", STATUS_MEMORY},
    {"faults", "stack-overflow", STATUS_MEMORY},
    {"faults", "wild-calls", 0},
    {"floats", "20", 0},
    {"remap", "8", 0},
    {"share", "3", 0},
};

enum {
    RUNS = sizeof runs / sizeof runs[0],
    PAUSE_US = 1000,
};

/* Each worker begins with another one. */
void stress_programs(struct stress_job *job)
{
    size_t next = job->cpu;

    do {
        const struct run *run = &runs[next++ % RUNS];
        int64_t id = process_start(run->program, run->argument, NULL), status;
        uint32_t ended = 0;

        if (id < 0)
            panic("stress: program %s cannot be started: error %ld", run->program, (long)-id);
        status = process_wait(NULL, (uint32_t)id, &ended);
        if (status != run->status || ended != (uint32_t)id)
            panic("stress: program %s:%s ended with status %ld, not %ld", run->program,
                  run->argument, (long)status, (long)run->status);
        job->done++;
    } while (!stress_is_over());
}
