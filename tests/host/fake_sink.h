/*
 * fake_sink.h - what a crash record needs around it: a sink that can refuse, a console that can
 * die, and memory with holes.
 */
#ifndef TESTS_HOST_FAKE_SINK_H
#define TESTS_HOST_FAKE_SINK_H

#include "crashdump/crashdump.h"

enum fake_limits {
    FAKE_SINK_BYTES = 1 << 17,
};

/* Takes `limit` bytes, then refuses; keeps what it took. */
struct fake_sink {
    uint8_t bytes[FAKE_SINK_BYTES];
    size_t length, limit;
    bool refused;
    bool commit_fails;
    unsigned commits;
    unsigned writes_after_refusal;
};

/* Empty, with room for everything. */
void fake_sink_init(struct fake_sink *fake, struct crash_sink *sink);

/* Takes `limit` lines, then is dead; keeps what it printed. */
struct fake_console {
    char text[FAKE_SINK_BYTES];
    size_t length;
    unsigned lines, limit;
    unsigned lines_after_death;
};

void fake_console_init(struct fake_console *fake, struct crash_lines *lines);

/* Memory at [start, start + length), of which [hole, hole + hole_length) is unreadable. */
struct fake_memory {
    const uint8_t *bytes;
    uint64_t start;
    size_t length;
    uint64_t hole;
    size_t hole_length;
    void (*on_read)(uint64_t addr); /* called before each read, or NULL */
};

void fake_memory_init(struct fake_memory *fake, struct crash_source *source);

#endif
