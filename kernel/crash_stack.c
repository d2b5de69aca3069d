/*
 * crash_stack.c - find the stack of an interrupted function, also when it has overflowed or is
 * lost.
 */
#include "crash_stack.h"

#include "arch/arch.h"

enum {
    RED_ZONE = 128, /* bytes below the stack pointer that may be in use */
};

/* The stack that `address` is on, or has just left: by popping all of it, or by overflowing into
 * the guard page below.  *address is moved to where the stack begins to be in use. */
static bool find_stack(uint64_t *address, struct arch_stack *stack)
{
    struct crash_map map;

    if (arch_find_stack(*address, stack) || arch_find_stack(*address - 1, stack))
        return true;
    for (size_t i = 0; arch_map_entry(i, &map); i++) {
        if (map.kind == CRASH_MAP_GUARD && *address >= map.start && *address < map.end) {
            *address = map.end;
            return arch_find_stack(*address, stack);
        }
    }
    return false;
}

struct crash_stack crash_find_stack(const struct trap_frame *frame)
{
    uint64_t in_use = arch_frame_sp(frame);
    struct arch_stack stack;

    if (!find_stack(&in_use, &stack)) {
        in_use = arch_frame_fp(frame);
        if (!find_stack(&in_use, &stack))
            return (struct crash_stack){0, 0};
    }
    in_use = in_use - stack.bottom > RED_ZONE ? in_use - RED_ZONE : stack.bottom;
    return (struct crash_stack){in_use & ~UINT64_C(7), stack.top};
}
