/*
 * thread.c - the table of threads: how one begins, waits for another, and ends.
 *
 * A place in the table keeps its stack for the next thread that gets it, so that stacks need never
 * be unmapped.
 */
#include "thread.h"

#include "debugger.h"
#include "format.h"
#include "panic.h"
#include "schedule.h"

static struct {
    struct thread threads[THREADS];
    uint32_t last_id;
    struct wait_queue ended; /* those who wait for a thread's end */
    struct spin_lock stacks; /* one is made at a time */
} table = {.ended = WAIT_QUEUE("thread ends"), .stacks = SPIN_LOCK("thread stacks")};

ARCH_DEBUGGER_PATH struct thread *thread_next(const struct thread *thread)
{
    size_t i = thread == NULL ? 0 : (size_t)(thread - table.threads) + 1;

    while (i < THREADS && table.threads[i].id == 0)
        i++;
    return i < THREADS ? &table.threads[i] : NULL;
}

ARCH_DEBUGGER_PATH struct thread *thread_find(uint32_t id)
{
    struct thread *thread = NULL;

    while (id != 0 && (thread = thread_next(thread)) != NULL && thread->id != id)
        ;
    return thread;
}

/* ---- Beginning ---- */

/* Is nobody interested in it any more, and its stack free? */
static bool is_over(const struct thread *thread)
{
    return thread->state == THREAD_ENDED && thread->detached && thread->left;
}

/* A place in the table, with the stack that it may have, or NULL.  With schedule_lock held. */
static struct thread *take_place(void)
{
    for (size_t i = 0; i < THREADS; i++) {
        struct thread *thread = &table.threads[i];

        if (thread->id == 0 || is_over(thread)) {
            *thread = (struct thread){.id = ++table.last_id,
                                      .stack = thread->stack,
                                      .stack_top = thread->stack_top,
                                      .wait_reason = ""};
            return thread;
        }
    }
    return NULL;
}

static struct thread *new_thread(const char *name, enum thread_priority priority, int cpu)
{
    struct thread *thread;

    spin_lock(&schedule_lock);
    thread = take_place();
    if (thread != NULL) {
        format_text(thread->name, sizeof thread->name, "%s", name);
        thread->priority = priority;
        thread->space = arch_kernel_space();
        thread->since_us = arch_time_us();
        arch_context_init(&thread->context);
        schedule_place(thread, cpu);
        thread->state = THREAD_WAITING; /* nobody runs it yet */
    }
    spin_unlock(&schedule_lock);
    return thread;
}

void thread_discard(struct thread *thread)
{
    spin_lock(&schedule_lock);
    schedule_remove(thread);
    thread->detached = true;
    thread->left = true;
    thread->state = THREAD_ENDED;
    spin_unlock(&schedule_lock);
}

/* The region of the stack bears the thread's name, whoever has the place.  What memory was too
 * short for is tried again by the next one. */
static bool has_stack(struct thread *thread)
{
    if (thread->stack_top != NULL)
        return true;
    spin_lock(&table.stacks);
    if (thread->stack == NULL)
        thread->stack = arch_reserve_pages(THREAD_STACK_BYTES, CRASH_MAP_STACK, thread->name);
    if (thread->stack != NULL && arch_back_pages(thread->stack, THREAD_STACK_BYTES))
        thread->stack_top = thread->stack + THREAD_STACK_BYTES;
    spin_unlock(&table.stacks);
    return thread->stack_top != NULL;
}

struct start {
    void (*function)(void *argument);
    void *argument;
};

static void begin(void *argument)
{
    struct start start = *(struct start *)argument;

    start.function(start.argument);
    thread_exit(0);
}

struct thread *thread_create(const char *name, enum thread_priority priority, int cpu)
{
    struct thread *thread = new_thread(name, priority, cpu);

    if (thread == NULL || has_stack(thread))
        return thread;
    thread_discard(thread);
    return NULL;
}

void thread_run(struct thread *thread, struct trap_frame *frame)
{
    spin_lock(&schedule_lock);
    thread->frame = frame;
    schedule_wake(thread);
    spin_unlock(&schedule_lock);
}

/* What begin() needs is put where the stack begins, above the frame. */
static struct trap_frame *first_frame(struct thread *thread, void (*function)(void *),
                                      void *argument)
{
    struct start *start = (struct start *)(void *)thread->stack_top - 1;

    *start = (struct start){function, argument};
    return arch_frame_for_kernel(start, begin, start);
}

struct thread *thread_start(const char *name, void (*function)(void *), void *argument,
                            enum thread_priority priority, int cpu)
{
    struct thread *thread = thread_create(name, priority, cpu);

    if (thread != NULL)
        thread_run(thread, first_frame(thread, function, argument));
    return thread;
}

/* ---- The first threads ---- */

/* The caller, on whatever stack it has. */
static struct thread *adopt(const char *name, unsigned cpu)
{
    struct thread *thread = new_thread(name, THREAD_NORMAL, (int)cpu);
    struct arch_stack stack;

    kassert(thread != NULL);
    if (arch_find_stack((uint64_t)(uintptr_t)&stack, &stack)) {
        thread->stack = (uint8_t *)(uintptr_t)stack.bottom;
        thread->stack_top = (uint8_t *)(uintptr_t)stack.top;
    }
    return thread;
}

static void idle(void *argument)
{
    (void)argument;
    for (;;)
        arch_interrupts_wait();
}

void threads_init(void)
{
    struct thread *main = adopt("main", 0);
    struct thread *idler = thread_create("idle 0", THREAD_IDLE, 0);

    if (idler == NULL)
        panic("no memory for the first threads");
    idler->frame = first_frame(idler, idle, NULL);
    idler->state = THREAD_RUNNABLE;
    schedule_init_cpu(main, idler);
}

_Noreturn void threads_idle(unsigned cpu)
{
    char name[THREAD_NAME_BYTES];
    struct thread *idler;

    format_text(name, sizeof name, "idle %u", cpu);
    idler = adopt(name, cpu);
    schedule_init_cpu(idler, idler);
    idle(NULL);
    arch_halt();
}

/* ---- Ending ---- */

_Noreturn void thread_exit(int status)
{
    struct thread *thread = thread_current();
    const struct mutex *mutex = mutex_held_by(thread);

    if (mutex != NULL)
        panic("thread %u (%s) ends with mutex \"%s\" held", thread->id, thread->name,
              mutex->waiters.lock.name);
    debugger_thread_ends();
    spin_lock(&table.ended.lock);
    thread->status = status;
    spin_lock(&schedule_lock);
    thread->state = THREAD_ENDED;
    schedule_remove(thread);
    spin_unlock(&schedule_lock);
    wake_all(&table.ended);
    spin_unlock(&table.ended.lock);
    thread_yield();
    panic("thread %u runs after its end", thread->id);
}

int thread_join(struct thread *thread)
{
    int status;

    spin_lock(&table.ended.lock);
    while (thread->state != THREAD_ENDED)
        (void)wait_in(&table.ended, "the end of a thread", 0);
    status = thread->status;
    thread->detached = true;
    spin_unlock(&table.ended.lock);
    return status;
}

void thread_detach(struct thread *thread)
{
    thread->detached = true;
}

void thread_yield(void)
{
    if (spin_held_count() != 0)
        panic("yielding with spin lock \"%s\" held", spin_held(arch_cpu_id(), 0)->name);
    arch_yield();
}
