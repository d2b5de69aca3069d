/*
 * backtrace.c - follow frame pointers: each points at the caller's, with the return address above.
 */
#include "backtrace.h"

#include "arch/arch.h"

void backtrace_begin(struct backtrace *walk, const struct trap_frame *frame)
{
    *walk = (struct backtrace){.frame = frame, .link = arch_frame_fp(frame)};
}

/*
 * A function that has not made its frame yet, or never does, or that was called through a bad
 * pointer: its caller is not in the chain.  Its return address, if any, is what the stack pointer
 * points at.
 */
static bool next_top(struct backtrace *walk, struct crash_frame *found)
{
    uint64_t sp = arch_frame_sp(walk->frame);
    struct arch_stack stack;
    uint64_t word;

    walk->top_tried = true;
    if (!arch_find_stack(sp, &stack) || arch_copy_from(&word, sp, sizeof word) != sizeof word)
        return false;
    *found = (struct crash_frame){.pc = word, .frame = sp, .trust = CRASH_TRUST_SCAN};
    return arch_is_text(word);
}

static bool next_link(struct backtrace *walk, struct crash_frame *found)
{
    struct arch_stack stack;
    uint64_t words[2]; /* the caller's frame pointer, the return address */

    if (walk->link % sizeof(uint64_t) != 0 || !arch_find_stack(walk->link, &stack))
        return false;
    /* On one stack callers are higher up; a chain that says otherwise is a loop or rubbish. */
    if (stack.bottom == walk->stack_bottom && walk->link <= walk->last_link)
        return false;
    if (arch_copy_from(words, walk->link, sizeof words) != sizeof words || !arch_is_text(words[1]))
        return false;
    *found = (struct crash_frame){.pc = words[1], .frame = walk->link, .trust = CRASH_TRUST_FRAME};
    walk->stack_bottom = stack.bottom;
    walk->last_link = walk->link;
    walk->link = words[0];
    return true;
}

bool backtrace_next(struct backtrace *walk, struct crash_frame *found)
{
    if (walk->count >= BACKTRACE_FRAMES)
        return false;
    if (walk->count++ == 0) {
        *found = (struct crash_frame){.pc = arch_frame_pc(walk->frame),
                                      .frame = arch_frame_sp(walk->frame),
                                      .trust = CRASH_TRUST_CONTEXT};
        return true;
    }
    return (!walk->top_tried && next_top(walk, found)) || next_link(walk, found);
}
