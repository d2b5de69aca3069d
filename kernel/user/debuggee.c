/*
 * debuggee.c - something for each thing that a debugger does with a user program.
 *
 * The argument says what to do, for ever or until it is told to stop.
 */
#include "kernel/user/library/user.h"

#define KEEP __attribute__((noinline, noclone, used))

enum {
    LONG_US = 900000000,
    MARK = 0x5eed,
};

static volatile uint64_t rounds, limit;
static volatile uint64_t initialised = 7;
static volatile long number;

/* The registers that only the user has are like nobody else's while it waits. */
static KEEP void sleep_marked(void)
{
    __asm__ volatile("movq %0, %%xmm3; fldpi; fld1" : : "r"((uint64_t)MARK));
    for (;;)
        sleep_us(LONG_US);
}

static KEEP void hit(void)
{
    rounds++;
}

static KEEP void count(void)
{
    while (limit == 0 || rounds < limit)
        hit();
}

static void run_count(void *argument)
{
    (void)argument;
    count();
}

static KEEP void count_in_threads(void)
{
    for (int i = 0; i < 3; i++)
        check(!is_error(spawn_thread(run_count, NULL)));
    count();
}

static KEEP void call(void)
{
    number = call_by_syscall(CALL_gettid, 1, 2, 3, 4);
    number = call_by_interrupt(CALL_gettid, 1, 2, 3, 4);
    rounds++;
}

static KEEP void call_for_ever(void)
{
    while (limit == 0 || rounds < limit)
        call();
}

/* Its own breakpoint. */
static KEEP void trap(void)
{
    for (;;) {
        __asm__ volatile("int3");
        rounds++;
    }
}

/* Its own single step. */
static KEEP void step(void)
{
    __asm__ volatile("pushfq; orl $0x100, (%rsp); popfq; nop; nop");
    rounds++;
}

static const struct {
    const char *name;
    void (*run)(void);
} tasks[] = {
    {"sleep", sleep_marked}, {"count", count}, {"threads", count_in_threads},
    {"call", call_for_ever}, {"trap", trap},   {"step", step},
};

int main(const char *argument)
{
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (strcmp(argument, tasks[i].name) == 0)
            tasks[i].run();
    }
    return (int)initialised;
}
