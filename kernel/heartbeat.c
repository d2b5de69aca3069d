/*
 * heartbeat.c - a small workload for a debugger to look at: once a second a list of samples gets
 * a new one, and is summed up.
 *
 * The functions are kept out of line: break on them, step through them, look at their arguments.
 */
#include "heartbeat.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "log.h"

#define STEP __attribute__((noinline))

enum {
    SAMPLES = 8,
    INTERVAL_US = 1000000,
};

struct sample {
    uint64_t beat;
    uint64_t time_us;
    struct sample *older; /* NULL at the oldest */
};

struct summary {
    uint64_t count;
    uint64_t checksum;
};

/* Watch `heartbeat.count`. */
static struct heartbeat {
    volatile uint64_t count;
    uint64_t next_us;
    struct summary summary;
    struct sample samples[SAMPLES];
    struct sample *newest;
} heartbeat;

static STEP uint64_t mix(uint64_t checksum, uint64_t value)
{
    checksum ^= value;
    return checksum << 7 | checksum >> 57;
}

static STEP struct summary add_sample(struct summary summary, const struct sample *sample)
{
    summary.count++;
    summary.checksum = mix(summary.checksum, sample->beat);
    return summary;
}

static STEP struct summary summarize(const struct sample *newest)
{
    struct summary summary = {0};

    for (const struct sample *sample = newest; sample != NULL; sample = sample->older)
        summary = add_sample(summary, sample);
    return summary;
}

/* Put a sample at the head of the list; the oldest of SAMPLES makes room for it. */
static STEP void take_sample(uint64_t now_us)
{
    struct sample *sample = &heartbeat.samples[heartbeat.count % SAMPLES];
    struct sample *after = &heartbeat.samples[(heartbeat.count + 1) % SAMPLES];

    sample->beat = heartbeat.count;
    sample->time_us = now_us;
    sample->older = heartbeat.newest;
    after->older = NULL;
    heartbeat.newest = sample;
}

static STEP void beat(uint64_t now_us)
{
    take_sample(now_us);
    heartbeat.count++;
    heartbeat.summary = summarize(heartbeat.newest);
    log_print(LOG_NOTICE, "heartbeat %lu: %lu samples, checksum %016lx", heartbeat.count,
              heartbeat.summary.count, heartbeat.summary.checksum);
}

void heartbeat_run(const char *argument)
{
    (void)argument;
    heartbeat.next_us = arch_time_us();
    arch_interrupts_enable();
    for (;;) {
        uint64_t now_us = arch_time_us();

        if (now_us >= heartbeat.next_us) {
            heartbeat.next_us = now_us + INTERVAL_US;
            beat(now_us);
        }
        arch_pause();
    }
}
