/*
 * log.h - what the kernel has to say, kept in a ring, and printed if it is important enough.
 *
 * Takes no lock, and waits at most for its turn on the console: may be called anywhere, also by an
 * NMI in the middle of itself.
 */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As in a record's LOGR section. */
enum log_level {
    LOG_ERROR,
    LOG_WARNING,
    LOG_NOTICE,
    LOG_DEBUG,
    LOG_LEVELS,
};

enum log_limits {
    LOG_SLOTS = 256,      /* messages kept */
    LOG_TEXT_BYTES = 232, /* of one message, with the NUL: what is longer ends in "..." */
};

struct log_entry {
    uint64_t time_us;
    uint32_t cpu;
    uint16_t level;  /* enum log_level */
    uint16_t length; /* of text */
    char text[LOG_TEXT_BYTES];
};

/* Print, from now on, what is at least as important as `loglevel=` says, beginning with what was
 * logged before. */
void log_init(void);

/* Log one line, given without its '\n'. */
void log_print(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for text that is ready.  The debugger's own: no breakpoint may stand in it. */
void log_text(enum log_level level, const char *text, size_t len);

/* The same, never printed. */
void log_quietly(enum log_level level, const char *text, size_t len);

/* Messages are numbered from 0.  Those that may still be there are [log_oldest(), log_next()). */
uint64_t log_oldest(void);
uint64_t log_next(void);

/* Copy one.  False if it is not there: overwritten, lost, or only half written. */
bool log_read(uint64_t sequence, struct log_entry *entry);

/* How many were lost because their slot was being written. */
uint64_t log_lost(void);

#endif
