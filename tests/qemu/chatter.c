/*
 * chatter.c - a kernel that prints from all processors at once, into its log and on its console:
 * linked into it, and free to call it.
 *
 * Each line says which processor's it is, and which in order.  The functions and variables have
 * names for GDB.
 */
#include <stdatomic.h>

#include "arch/arch.h"
#include "kernel/console.h"
#include "kernel/log.h"
#include "kernel/thread.h"

#define KEEP __attribute__((noinline, noclone, used))

enum {
    MANY = 1000000,
};

int main(void);

volatile uint64_t said[ARCH_CPUS];
volatile uint64_t left[ARCH_CPUS]; /* to be said: GDB changes that */
atomic_uint silent;                /* processors that have said all */

static KEEP void say(unsigned cpu)
{
    log_print(LOG_NOTICE, "CPU %u says %lu: the + and - and } of a line", cpu, said[cpu]);
    said[cpu]++; /* SAID */
}

static KEEP void chatter(void *argument)
{
    unsigned cpu = (unsigned)(uintptr_t)argument;

    for (; left[cpu] > 0; left[cpu]--)
        say(cpu);
    atomic_fetch_add(&silent, 1);
}

static KEEP void all_said(void)
{
    console_print("all is said\n");
}

_Noreturn static KEEP void rest(void)
{
    for (;;)
        arch_pause();
}

int main(void)
{
    for (unsigned cpu = 0; cpu < ARCH_CPUS; cpu++)
        left[cpu] = MANY;
    for (unsigned cpu = 1; cpu < arch_cpu_count(); cpu++)
        (void)thread_start("chatter", chatter, (void *)(uintptr_t)cpu, THREAD_NORMAL, (int)cpu);
    chatter((void *)0);
    while (atomic_load(&silent) < arch_cpu_count())
        arch_pause();
    all_said();
    rest();
}
