/*
 * guard.c - ways out of a fault: fix-ups of single accesses, and guarded calls.
 *
 * A guarded call is left by making the trap's frame return into guarded_call_escape, on the stack
 * of the caller.  What the abandoned function held is lost, so it must hold nothing.
 */
#include "arch/arch.h"
#include "calls.h"
#include "frame.h"
#include "points.h"
#include "stacks.h"

struct guard {
    struct guard_context context;
    struct guard *outer;
    struct trap caught;
};

/* Innermost guarded call of each CPU. */
static struct guard *guards[ARCH_CPUS];

extern const struct fixup __fixups_start[], __fixups_end[];

enum recoverable {
    RECOVERABLE = TRAP_MASK(TRAP_ARITHMETIC) | TRAP_MASK(TRAP_INSTRUCTION) |
                  TRAP_MASK(TRAP_PAGE_FAULT) | TRAP_MASK(TRAP_PROTECTION) | TRAP_MASK(TRAP_DOUBLE) |
                  TRAP_MASK(TRAP_PANIC),
};

bool arch_guard(void (*function)(void *), void *argument, struct trap *caught)
{
    unsigned cpu = arch_cpu_id();
    struct guard guard;
    bool returned;

    guard.outer = guards[cpu];
    guards[cpu] = &guard;
    returned = guarded_call(function, argument, &guard.context);
    guards[cpu] = guard.outer;
    if (!returned)
        *caught = guard.caught;
    return returned;
}

static bool apply_fixup(struct trap_frame *frame)
{
    for (const struct fixup *fixup = __fixups_start; fixup < __fixups_end; fixup++) {
        if (fixup->access == frame->rip) {
            frame->rip = fixup->resume;
            return true;
        }
    }
    return false;
}

static void escape(struct guard *guard, struct trap *trap)
{
    struct trap_frame *frame = trap->frame;

    guard->caught = *trap;
    guard->caught.frame = NULL;
    frame->rip = (uint64_t)(uintptr_t)guarded_call_escape;
    frame->rdi = (uint64_t)(uintptr_t)&guard->context;
    frame->rsp = guard->context.rsp;
}

bool arch_recover(struct trap *trap)
{
    struct guard *guard = guards[trap->cpu];

    if ((TRAP_MASK(trap->kind) & RECOVERABLE) == 0)
        return false;
    if (apply_fixup(trap->frame))
        return true;
    if (guard == NULL)
        return false;
    escape(guard, trap);
    return true;
}

bool arch_abandon(struct trap *trap)
{
    struct guard *guard = guards[trap->cpu];

    if (guard == NULL)
        return false;
    escape(guard, trap);
    return true;
}

struct trap_frame *arch_keep_frame(const struct trap_frame *frame)
{
    static struct trap_frame kept;

    kept = *frame;
    return &kept;
}

void arch_call_on_stack(enum arch_stack_purpose purpose, void (*function)(void *), void *argument)
{
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);

    if (purpose == ARCH_STACK_DEBUGGER)
        (void)points_disarm(arch_cpu_id()); /* a system call that GDB catches came here with them */
    if (is_on_purpose_stack(here, purpose))
        function(argument);
    else
        call_on_stack(purpose_stack_top(arch_cpu_id(), purpose), function, argument);
}
