/*
 * threads.c - a kernel in which threads are in every state: linked into it, and free to call it.
 *
 * On each CPU but the first a thread spins and counts; what main() does is what `task` says.  The
 * functions and variables have names for GDB.
 */
#include <stdatomic.h>

#include "arch/arch.h"
#include "kernel/process.h"
#include "kernel/schedule.h"
#include "kernel/thread.h"

#define KEEP __attribute__((noinline, noclone, used))

enum {
    FOR_EVER_US = 1000000000,
    SHORT_US = 2000,
};

int main(void);

/* ---- Loops that count, one for each CPU ---- */

volatile uint64_t counters[ARCH_CPUS]; /* calls of hit() */
volatile uint64_t watched;
volatile int quiet; /* spin with interrupts off */

static KEEP void hit(unsigned cpu)
{
    __asm__ volatile("hit_here: incq %0" : "+m"(counters[cpu])); /* COUNTING */
}

static KEEP void spin(void *argument)
{
    unsigned cpu = (unsigned)(uintptr_t)argument;
    bool off = false;

    for (;;) {
        if (quiet && !off)
            off = arch_interrupts_disable();
        if (!quiet && off) {
            arch_interrupts_enable();
            off = false;
        }
        hit(cpu);
    }
}

/* ---- Threads that do not run ---- */

static struct wait_queue queue = WAIT_QUEUE("bench");
static struct mutex mutex = MUTEX("bench mutex");
static struct mutex busy = MUTEX("busy mutex");

static void wait_for_ever(const char *reason)
{
    spin_lock(&queue.lock);
    (void)wait_in(&queue, reason, 0);
    spin_unlock(&queue.lock);
}

volatile uint64_t woken; /* what the napper has in rbx while it naps */

/* Its SSE, x87 and FS base are like nobody else's. */
static KEEP void sleeper(void *argument)
{
    uint64_t mark = (uint64_t)(uintptr_t)argument;

    __asm__ volatile("movq %0, %%xmm7; fldpi" : : "r"(mark));
    __asm__ volatile("wrmsr" : : "c"(0xc0000100), "a"((uint32_t)mark), "d"(0));
    for (;;)
        thread_sleep_us(FOR_EVER_US);
}

static KEEP void napper(void *argument)
{
    uint64_t mark = (uint64_t)(uintptr_t)argument;

    for (;;) {
        __asm__ volatile("" : "+b"(mark));
        thread_sleep_us(SHORT_US);
        __asm__ volatile("" : "+b"(mark));
        woken = mark;
    }
}

static KEEP void waiter(void *argument)
{
    struct spin_lock own = SPIN_LOCK("of the waiter");

    (void)argument;
    __asm__ volatile("" : : "r"(&own) : "memory");
    wait_for_ever("an event of the bench");
    __asm__ volatile("" : : "r"(&own) : "memory");
}

static KEEP void owner(void *argument)
{
    (void)argument;
    mutex_lock(&mutex);
    wait_for_ever("the end");
}

static KEEP void wanter(void *argument)
{
    (void)argument;
    mutex_lock(&mutex);
}

static KEEP void rival(void *argument)
{
    (void)argument;
    for (;;) {
        mutex_lock(&busy);
        thread_sleep_us(SHORT_US / 4);
        mutex_unlock(&busy);
        thread_sleep_us(SHORT_US / 4);
    }
}

static KEEP void starving(void *argument)
{
    (void)argument;
    for (;;)
        arch_pause();
}

static volatile int may_end;

static KEEP void ender(void *argument)
{
    (void)argument;
    while (!may_end)
        thread_sleep_us(SHORT_US);
}

/* ---- What main() does ---- */

volatile int task; /* which of them; GDB sets it */
volatile uint64_t rounds;

static KEEP void do_nothing(void)
{
    rounds++;
}

static KEEP void do_sleep(void)
{
    thread_sleep_us(SHORT_US);
    rounds++;
}

static KEEP void do_yield(void)
{
    thread_yield();
    rounds++;
}

static KEEP void do_lock(void)
{
    mutex_lock(&busy);
    mutex_unlock(&busy);
    rounds++;
}

/* Until this CPU has ticked: nothing else ends the loop. */
static KEEP void do_wait_for_ticks(void)
{
    uint64_t end = schedule_cpu(0)->ticks + 2;

    while (schedule_cpu(0)->ticks < end)
        arch_pause(); /* WAITING */
    rounds++;
}

static KEEP void do_fault(void)
{
    uint64_t to;

    rounds += arch_copy(&to, (const void *)8, sizeof to); /* faults, and is mended */
    rounds++;
}

static KEEP void do_write(void)
{
    watched++;
    rounds++;
}

static KEEP void do_idle(void)
{
    thread_sleep_us(FOR_EVER_US);
}

static KEEP void do_print(void)
{
    extern void console_print(const char *format, ...);

    console_print("%032lu%032lu\n", rounds, rounds);
    rounds++;
}

/* From its next NMI on, CPU 1 answers nothing: it stays in the handler. */
static KEEP void turn_deaf(void *argument)
{
    static uint64_t idt[512] __attribute__((aligned(16)));
    extern const char deaf[];
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer;
    uint64_t to = (uint64_t)(uintptr_t)deaf;

    (void)argument;
    __asm__ volatile("jmp 1f; deaf: pause; jmp deaf; 1:");
    __asm__ volatile("sidt %0" : "=m"(pointer));
    __builtin_memcpy(idt, (const void *)(uintptr_t)pointer.base, sizeof idt);
    idt[2 * 2] = (idt[2 * 2] & 0x0000ffffffff0000) | (to & 0xffff) | (to >> 16 & 0xffff) << 48;
    idt[2 * 2 + 1] = to >> 32;
    pointer.base = (uint64_t)(uintptr_t)idt;
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void start(const char *name, void (*function)(void *), uintptr_t argument,
                  enum thread_priority priority, int cpu);

static KEEP void do_lose_a_cpu(void)
{
    task = 0;
    start("deafener", turn_deaf, 0, THREAD_HIGH, 1);
    thread_sleep_us(4 * SHORT_US);
}

static void (*const tasks[])(void) = {
    do_nothing, do_sleep, do_yield, do_lock, do_wait_for_ticks, do_fault, do_write, do_idle,
    do_print, do_lose_a_cpu,
};

static void start(const char *name, void (*function)(void *), uintptr_t argument,
                  enum thread_priority priority, int cpu)
{
    struct thread *thread = thread_start(name, function, (void *)argument, priority, cpu);

    if (thread == NULL)
        arch_panic("no thread");
    thread_detach(thread);
}

volatile int started;
char program[32], program_argument[32]; /* to start; GDB sets them */

static KEEP void start_all(void)
{
    unsigned last = arch_cpu_count() - 1;

    start("sleeper", sleeper, 0x1234567, THREAD_NORMAL, 0);
    start("napper", napper, 0x77, THREAD_NORMAL, 0);
    start("waiter", waiter, 0, THREAD_NORMAL, 0);
    start("owner", owner, 0, THREAD_HIGH, 0);
    start("rival", rival, 0, THREAD_NORMAL, 0);
    start("ender", ender, 0, THREAD_NORMAL, 0);
    thread_sleep_us(SHORT_US); /* the owner is first */
    start("wanter", wanter, 0, THREAD_NORMAL, 0);
    for (unsigned cpu = 1; cpu <= last; cpu++)
        start("spinner", spin, cpu, THREAD_NORMAL, (int)cpu);
    if (last > 0)
        start("starving", starving, 0, THREAD_LOW, (int)last);
    if (program[0] != '\0' && process_start(program, program_argument, NULL) < 0)
        arch_panic("no program");
    thread_sleep_us(program[0] == '\0' ? 4 * SHORT_US : 30 * SHORT_US);
    started = 1;
}

int main(void)
{
    start_all();
    for (;;)
        tasks[task](); /* TASK */
}
