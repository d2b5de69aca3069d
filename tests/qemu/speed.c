/*
 * speed.c - a kernel that measures what breakpoints and steps cost: with a debugger attached those
 * that need no word of it, without one what there is of the debugger on the way of a trap.
 *
 * The unit is the time stamp counter's: under -icount, an instruction.  The ceiling is a handler
 * that does nothing, in the kernel's own table where it has the debugger's.
 */
#include <stddef.h>

/* A copy of the kernel's table. */
#define traps_init    unused_traps_init
#define traps_counted unused_traps_counted
void unused_traps_init(void);
unsigned long unused_traps_counted(unsigned vector);
#include "kernel/traps.c"
#undef traps_init
#undef traps_counted

#include "kernel/debugger_session.h"

#define KEEP __attribute__((noinline, noclone, used))

enum {
    ROUNDS = 1000,
    ROWS = sizeof(handlers) / sizeof(handlers[0]),
    INVALID_BYTES = 2, /* of ud2 */
};

int main(void);
void traps_init(void);

static uint64_t now(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* ---- Handlers, and tables with them ---- */

static enum trap_verdict handle_at_once(struct trap *trap)
{
    if (trap->kind == TRAP_INSTRUCTION)
        arch_frame_set_pc(trap->frame, trap->pc + INVALID_BYTES);
    return TRAP_HANDLED;
}

static enum trap_verdict decline(struct trap *trap)
{
    (void)trap;
    return TRAP_DECLINED;
}

static bool is_debuggers(const struct trap_handler *row)
{
    return row->handle == debugger_handle || row->handle == debugger_pass_breakpoint ||
           row->handle == debugger_pass_step;
}

static struct trap_handler table[ROWS];

/* The table, but that the handler that does nothing comes in the debugger's place. */
static void use_ceiling(void)
{
    size_t count = 0;

    for (size_t i = 0; i < ROWS; i++) {
        if (is_debuggers(&handlers[i]) && handlers[i].handle != debugger_handle)
            continue;
        table[count] = handlers[i];
        if (handlers[i].handle == debugger_handle)
            table[count].handle = handle_at_once;
        count++;
    }
    trap_init(table, count);
}

/* Nothing but that handler. */
static void use_nothing_else(void)
{
    table[0] = (struct trap_handler){"ceiling", TRAP_ANY, handle_at_once};
    trap_init(table, 1);
}

/* The table, but that this handler is the last; perhaps without what the debugger's do. */
static void use_last(bool debugger_asked)
{
    for (size_t i = 0; i < ROWS; i++) {
        table[i] = handlers[i];
        if (is_debuggers(&handlers[i]) && !debugger_asked)
            table[i].handle = decline;
        if (handlers[i].handle == log_breakpoint)
            table[i] = (struct trap_handler){"ceiling", TRAP_ANY, handle_at_once};
    }
    trap_init(table, ROWS);
}

/* ---- What is measured; each round once before, so that all of it has been used ---- */

volatile int total;

/* GDB has a breakpoint in one of these. */
static KEEP int hot(int argument)
{
    volatile int i = argument;

    total += i;
    return i;
}

static KEEP int cold(int argument)
{
    volatile int i = argument;

    total += i;
    return i;
}

static uint64_t calls(int (*function)(int argument))
{
    uint64_t begin = 0;

    for (int i = -1; i < ROUNDS; i++) {
        if (i == 0)
            begin = now();
        function(i);
    }
    return (now() - begin) / ROUNDS;
}

/* Instructions without effect, in one line of source: GDB steps over it as a range. */
#define WALK                                                                                       \
    "rdtsc; shl $32, %%rdx; or %%rax, %%rdx; mov %%rdx, %1; 1: dec %2; jnz 1b;"                    \
    "rdtsc; shl $32, %%rdx; or %%rdx, %%rax; sub %1, %%rax"

static KEEP uint64_t walk(void)
{
    uint64_t ticks, begin;
    unsigned turns = ROUNDS / 2;

    __asm__ volatile(WALK : "=a"(ticks), "=&r"(begin), "+r"(turns) : : "rdx", "cc"); /* WALK */
    return ticks / ROUNDS;
}

static KEEP uint64_t walk_for_gdb(void)
{
    uint64_t ticks, begin;
    unsigned turns = ROUNDS / 2;

    __asm__ volatile(WALK : "=a"(ticks), "=&r"(begin), "+r"(turns) : : "rdx", "cc"); /* RANGE */
    return ticks / ROUNDS;
}

/* What an instruction costs that traps. */
#define TRAPPING(name, instruction)                                                                \
    static uint64_t name(void)                                                                     \
    {                                                                                              \
        uint64_t begin = 0;                                                                        \
                                                                                                   \
        for (int i = -1; i < ROUNDS; i++) {                                                        \
            if (i == 0)                                                                            \
                begin = now();                                                                     \
            __asm__ volatile(instruction);                                                         \
        }                                                                                          \
        return (now() - begin) / ROUNDS;                                                           \
    }

TRAPPING(breakpoints, "int3")
TRAPPING(invalid_instructions, "ud2")

/* By the trap flag. */
static uint64_t steps(void)
{
    uint64_t ticks;

    __asm__ volatile("pushfq; btsq $8, (%%rsp); popfq" : : : "memory", "cc");
    ticks = walk();
    __asm__ volatile("pushfq; btrq $8, (%%rsp); popfq" : : : "memory", "cc");
    return ticks;
}

static void print(const char *name, uint64_t ticks)
{
    log_print(LOG_NOTICE, "%s: %lu ticks", name, ticks);
}

static void measure_debugger(void)
{
    uint64_t call = calls(cold);

    use_ceiling();
    print("int3", breakpoints());
    print("step", steps());
    use_nothing_else();
    print("int3, one row", breakpoints());
    print("step, one row", steps());
    trap_init(handlers, ROWS);
    print("false condition", calls(hot) - call);
    print("range step", walk_for_gdb());
}

static void measure_none(const char *breakpoint, const char *step, const char *invalid)
{
    print(breakpoint, breakpoints());
    print(step, steps());
    print(invalid, invalid_instructions());
}

int main(void)
{
    (void)arch_interrupts_disable();
    if (gdbstub_attached(&debugger.stub)) {
        measure_debugger();
    } else {
        use_last(true);
        measure_none("int3", "step", "ud2");
        use_last(false);
        measure_none("int3, not asked", "step, not asked", "ud2, not asked");
    }
    trap_init(handlers, ROWS);
    return 0;
}
