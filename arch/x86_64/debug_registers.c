/*
 * debug_registers.c - dr0 to dr7 for GDB, which may look at them and put back what it saw.
 */
#include "debug_registers.h"

#include "instructions.h"
#include "points.h"

enum debug_numbers {
    DEBUG_STATUS = 6,
    DEBUG_REGISTERS = 8,
    VECTOR_DEBUG = 1,
};

/* The last two values of each that were seen: in the course of a call, points come and go. */
static struct {
    uint64_t last, before;
} seen[DEBUG_REGISTERS];

static uint64_t read(const struct trap_frame *frame, unsigned number)
{
    if (number != DEBUG_STATUS)
        return points_register(number);
    return read_dr6() | (frame->vector == VECTOR_DEBUG ? frame->error : 0);
}

uint64_t debug_register_show(const struct trap_frame *frame, unsigned number)
{
    uint64_t now = read(frame, number);

    if (now != seen[number].last) {
        seen[number].before = seen[number].last;
        seen[number].last = now;
    }
    return now;
}

bool debug_register_restore(unsigned number, const void *value)
{
    uint64_t word;

    __builtin_memcpy(&word, value, sizeof(word));
    return number == DEBUG_STATUS || word == seen[number].last || word == seen[number].before;
}
