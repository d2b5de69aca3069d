/*
 * program_trap.c - page faults that are not fatal, and all that is: to the program alone.
 */
#include "program_trap.h"

#include "arch/arch.h"
#include "log.h"
#include "process.h"
#include "space.h"

/* The status of a program that a trap has ended: 128 and the number that Unix has for it. */
enum fault_status {
    STATUS_OTHER = 0, /* not the program's doing */
    STATUS_INSTRUCTION = 128 + 4,
    STATUS_BREAKPOINT = 128 + 5,
    STATUS_ARITHMETIC = 128 + 8,
    STATUS_NO_MEMORY = 128 + 9,
    STATUS_MEMORY = 128 + 11,
};

static const enum fault_status statuses[TRAP_KINDS] = {
    [TRAP_BREAKPOINT] = STATUS_BREAKPOINT, [TRAP_DEBUG] = STATUS_BREAKPOINT,
    [TRAP_ARITHMETIC] = STATUS_ARITHMETIC, [TRAP_INSTRUCTION] = STATUS_INSTRUCTION,
    [TRAP_PAGE_FAULT] = STATUS_MEMORY,     [TRAP_PROTECTION] = STATUS_MEMORY,
};

/* The thread goes no further: it ends on its own stack, wherever this trap is handled. */
static enum trap_verdict end(struct trap *trap, enum fault_status status, const char *why)
{
    struct process *process = process_current();

    log_print(LOG_NOTICE, "program %s (%u) ended at pc 0x%lx: %s%s%s", process->name, process->id,
              trap->pc, trap->name, why[0] != '\0' ? ": " : "", why);
    process_end(process, (int)status);
    return process_check(trap);
}

/* Was it the program's own access, and no more than that?  The processor's, to its tables on behalf
 * of user code, is not; resolving it would go on for ever. */
static bool is_own_access(const struct trap *trap)
{
    const unsigned other = TRAP_ACCESS_RESERVED | TRAP_ACCESS_OTHER;

    return trap->origin == TRAP_FROM_USER && (trap->access & TRAP_ACCESS_USER) != 0 &&
           (trap->access & other) == 0;
}

enum trap_verdict program_resolve(struct trap *trap)
{
    enum space_result result;

    if (!is_own_access(trap))
        return TRAP_DECLINED;
    arch_interrupts_enable();
    result = space_resolve(&process_current()->space, trap->address, trap->access,
                           arch_frame_sp(trap->frame));
    (void)arch_interrupts_disable();
    if (result == SPACE_NO_MEMORY)
        return end(trap, STATUS_NO_MEMORY, "memory is short");
    if (result == SPACE_REFUSED)
        return TRAP_DECLINED;
    (void)process_check(trap);
    return TRAP_HANDLED;
}

enum trap_verdict program_handle(struct trap *trap)
{
    enum fault_status status = statuses[trap->kind];
    char why[CRASH_TEXT_BYTES];

    if (trap->origin != TRAP_FROM_USER || status == STATUS_OTHER)
        return TRAP_DECLINED;
    arch_describe_trap(trap, why, sizeof why);
    return end(trap, status, why);
}
