/*
 * log.c - the ring of messages: slots that are reserved by counting up, and marked when complete.
 */
#include "log.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "command_line.h"
#include "console.h"
#include "string.h"

/* One message.  `state` is 0 when unused; else see writing() and complete(). */
struct slot {
    _Atomic uint64_t state;
    struct log_entry entry;
};

static struct {
    _Atomic uint64_t next, lost;
    struct slot slots[LOG_SLOTS];
    bool printing; /* log_init() has been called */
    unsigned level;
} ring;

/* The states of a slot while message `sequence` is put there, and when it is all there. */
static uint64_t writing(uint64_t sequence)
{
    return 2 * sequence + 1;
}

static uint64_t complete(uint64_t sequence)
{
    return 2 * sequence + 2;
}

/*
 * Whoever finds the slot in use has interrupted its writer, or has been overtaken by a whole turn
 * of the ring: then the message is counted as lost, since nothing may wait here.
 */
static void keep(const struct log_entry *entry)
{
    uint64_t sequence = atomic_fetch_add(&ring.next, 1);
    struct slot *slot = &ring.slots[sequence % LOG_SLOTS];
    uint64_t state = atomic_load(&slot->state);

    if (state % 2 != 0 || state > writing(sequence) ||
        !atomic_compare_exchange_strong(&slot->state, &state, writing(sequence))) {
        atomic_fetch_add(&ring.lost, 1);
        return;
    }
    atomic_thread_fence(memory_order_release);
    slot->entry = *entry;
    atomic_store_explicit(&slot->state, complete(sequence), memory_order_release);
}

static void show(const struct log_entry *entry)
{
    console_print("[%5lu.%06lu] %.*s\n", (unsigned long)(entry->time_us / 1000000),
                  (unsigned long)(entry->time_us % 1000000), (int)entry->length, entry->text);
}

static void fill(struct log_entry *entry, enum log_level level, const char *text, size_t len)
{
    size_t kept = len < sizeof entry->text ? len : sizeof entry->text - 1;

    *entry = (struct log_entry){.time_us = arch_time_us(),
                                .cpu = arch_cpu_id(),
                                .level = (uint16_t)level,
                                .length = (uint16_t)kept};
    memcpy(entry->text, text, kept);
    for (size_t i = kept; kept < len && i > kept - 3; i--)
        entry->text[i - 1] = '.';
}

void log_text(enum log_level level, const char *text, size_t len)
{
    struct log_entry entry;

    fill(&entry, level, text, len);
    keep(&entry);
    if (ring.printing && level <= ring.level)
        show(&entry);
}

void log_quietly(enum log_level level, const char *text, size_t len)
{
    struct log_entry entry;

    fill(&entry, level, text, len);
    keep(&entry);
}

void log_init(void)
{
    struct log_entry entry;

    ring.level = command_line_choice("loglevel", "error|warning|notice|debug|0|1|2|3", LOG_NOTICE) %
                 LOG_LEVELS;
    for (uint64_t n = log_oldest(); n < log_next(); n++) {
        if (log_read(n, &entry) && entry.level <= ring.level)
            show(&entry);
    }
    ring.printing = true;
}

uint64_t log_next(void)
{
    return atomic_load(&ring.next);
}

uint64_t log_oldest(void)
{
    uint64_t next = log_next();

    return next > LOG_SLOTS ? next - LOG_SLOTS : 0;
}

uint64_t log_lost(void)
{
    return atomic_load(&ring.lost);
}

bool log_read(uint64_t sequence, struct log_entry *entry)
{
    struct slot *slot = &ring.slots[sequence % LOG_SLOTS];

    if (sequence >= log_next() ||
        atomic_load_explicit(&slot->state, memory_order_acquire) != complete(sequence))
        return false;
    *entry = slot->entry;
    /* The copy counts only if nobody began to overwrite the slot meanwhile. */
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&slot->state, memory_order_relaxed) == complete(sequence);
}
