/*
 * ceiling.c - a kernel that times what the debugger does again and again, and what the processor
 * alone would take: an exception whose handler is `iretq`.
 *
 * The figures are ticks of the time stamp counter, in variables; a debugger plants what is to be
 * timed, and reads them.  With -icount a tick is an instruction.
 */
#include "arch/arch.h"
#include "kernel/console.h"
#include "kernel/log.h"

#define KEEP __attribute__((noinline, noclone, used))

enum {
    ROUNDS = 2000,
    TIMES =
        8, /* each is measured so often, and the least counts: the host has other things to do */
    VECTORS = 256,
    GATE_WORDS = 2,
    DEBUG_VECTOR = 1,
    BREAKPOINT_VECTOR = 3,
    WALK_INSTRUCTIONS = 2, /* of one turn of walk() */
    TRAP_FLAG = 1 << 8,
};

int main(void);

volatile uint64_t rounds = ROUNDS;
volatile uint64_t total;
volatile int may_begin;                       /* GDB has attached */
volatile uint64_t breakpoint_bare, step_bare; /* ticks of ROUNDS of them */
volatile uint64_t calls, calls_with_condition, steps_in_range;
volatile uint64_t ticks_per_second;

static inline uint64_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* ---- The processor alone: an IDT in which two vectors return at once ---- */

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

static uint64_t bare_table[VECTORS * GATE_WORDS] __attribute__((aligned(16)));

/* A gate keeps its selector, type and stack, and gets another address (SDM 3A 6.14.1). */
static void set_gate(unsigned vector, const void *handler)
{
    uint64_t to = (uint64_t)(uintptr_t)handler;
    uint64_t *gate = &bare_table[vector * GATE_WORDS];

    gate[0] = (gate[0] & 0x0000ffffffff0000) | (to & 0xffff) | (to >> 16 & 0xffff) << 48;
    gate[1] = to >> 32;
}

static struct table_pointer use_bare_table(void)
{
    extern const char return_at_once[];
    struct table_pointer kernels, bare = {sizeof bare_table - 1, (uint64_t)(uintptr_t)bare_table};

    __asm__ volatile("jmp 1f; return_at_once: iretq; 1:");
    __asm__ volatile("sidt %0" : "=m"(kernels));
    __builtin_memcpy(bare_table, (const void *)(uintptr_t)kernels.base, sizeof bare_table);
    set_gate(DEBUG_VECTOR, return_at_once);
    set_gate(BREAKPOINT_VECTOR, return_at_once);
    __asm__ volatile("lidt %0" : : "m"(bare));
    return kernels;
}

/* ROUNDS instructions, and the ticks they took: to the compiler one line, for GDB to step over. */
static KEEP uint64_t walk(void)
{
    uint64_t count = ROUNDS / WALK_INSTRUCTIONS, before, after;

    __asm__ volatile(/* WALK */
                     "rdtsc; shl $32, %%rdx; or %%rdx, %%rax; mov %%rax, %0;"
                     "1: dec %2; jnz 1b;"
                     "rdtsc; shl $32, %%rdx; or %%rdx, %%rax; mov %%rax, %1"
                     : "=&r"(before), "=&r"(after), "+r"(count)
                     :
                     : "rax", "rdx", "cc");
    return after - before;
}

static void keep_least(volatile uint64_t *least, uint64_t found)
{
    if (*least == 0 || found < *least)
        *least = found;
}

static uint64_t time_breakpoints(void)
{
    uint64_t before = ticks();

    for (unsigned i = 0; i < ROUNDS; i++)
        __asm__ volatile("int3");
    return ticks() - before;
}

static uint64_t time_steps(void)
{
    uint64_t found;

    __asm__ volatile("pushfq; orq %0, (%%rsp); popfq" : : "i"(TRAP_FLAG) : "memory", "cc");
    found = walk();
    __asm__ volatile("pushfq; andq %0, (%%rsp); popfq" : : "i"(~TRAP_FLAG) : "memory", "cc");
    return found;
}

static void time_bare(void)
{
    struct table_pointer kernels = use_bare_table();

    for (unsigned time = 0; time < TIMES; time++) {
        keep_least(&breakpoint_bare, time_breakpoints());
        keep_least(&step_bare, time_steps());
    }
    __asm__ volatile("lidt %0" : : "m"(kernels));
}

/* ---- The kernel's paths, with nobody attached ---- */

static KEEP void time_paths(void)
{
    uint64_t before, empty, to, breakpoint, fault, yield;

    before = ticks();
    empty = ticks() - before;
    before = ticks();
    __asm__ volatile("int3");
    breakpoint = ticks() - before - empty;
    before = ticks();
    (void)arch_copy(&to, (const void *)8, sizeof to);
    fault = ticks() - before - empty;
    before = ticks();
    arch_yield();
    yield = ticks() - before - empty;
    console_print("paths: breakpoint %lu, fault %lu, yield %lu\n", breakpoint, fault, yield);
}

/* ---- The debugger ---- */

static KEEP void hit(uint64_t number)
{
    total += number;
}

static uint64_t time_calls(void)
{
    uint64_t before, least = 0;

    for (unsigned time = 0; time < TIMES; time++) {
        before = ticks();
        for (uint64_t i = 0; i < ROUNDS; i++)
            hit(i);
        before = ticks() - before;
        least = least == 0 || before < least ? before : least;
    }
    return least;
}

static KEEP void done(void)
{
    total++;
}

static KEEP void wait_for_debugger(void)
{
    log_print(LOG_NOTICE, "there is something to debug");
    while (!may_begin)
        arch_pause();
}

int main(void)
{
    uint64_t before_us = arch_time_us(), before = ticks();

    (void)arch_interrupts_disable();
    time_bare();
    calls = time_calls();
    ticks_per_second = (ticks() - before) * 1000000 / (arch_time_us() - before_us);
    time_paths();
    arch_interrupts_enable();
    wait_for_debugger();
    (void)arch_interrupts_disable();
    calls_with_condition = time_calls();
    for (unsigned time = 0; time < TIMES; time++)
        keep_least(&steps_in_range, walk());
    for (;;) {
        arch_interrupts_enable();
        done();
        for (unsigned i = 0; i < ROUNDS; i++)
            hit(i);
    }
}
