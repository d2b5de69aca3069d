/*
 * crash_stack.h - which stack a crash happened on.
 *
 * Trusts neither the stack pointer nor the frame pointer, and reads no stack.
 */
#ifndef KERNEL_CRASH_STACK_H
#define KERNEL_CRASH_STACK_H

#include <stdint.h>

#include "trap/trap.h"

struct crash_stack {
    uint64_t start, end; /* [start, end), of whole words */
};

/* The part of the interrupted stack that is in use.  If the stack pointer is lost, the frame
 * pointer may still know where that was; empty if neither does. */
struct crash_stack crash_find_stack(const struct trap_frame *frame);

#endif
