/*
 * backtrace.h - the callers of an interrupted function, by the chain of frame pointers.
 *
 * Trusts nothing it reads and never faults: the chain is followed only inside known stacks.  What
 * it cannot see, a debugger with the symbols can.
 */
#ifndef KERNEL_BACKTRACE_H
#define KERNEL_BACKTRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "crashdump/record.h"
#include "trap/trap.h"

enum backtrace_limits {
    BACKTRACE_FRAMES = 64,
};

/* A walk.  The fields are private. */
struct backtrace {
    const struct trap_frame *frame;
    unsigned count;
    bool top_tried;
    uint64_t link;         /* where the next frame pointer and return address are */
    uint64_t stack_bottom; /* the stack that the last one was on */
    uint64_t last_link;
};

void backtrace_begin(struct backtrace *walk, const struct trap_frame *frame);

/* The next function, innermost first; the first is the interrupted one.  False at the end. */
bool backtrace_next(struct backtrace *walk, struct crash_frame *found);

#endif
