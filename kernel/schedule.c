/*
 * schedule.c - the run queues, the tick, and the switch from one thread to another.
 */
#include "schedule.h"

#include "arch/arch.h"
#include "flight.h"
#include "stop.h"

struct run_queue {
    struct thread *first, *last;
};

struct spin_lock schedule_lock = SPIN_LOCK("scheduler");

static struct cpu {
    struct schedule_cpu shown;
    struct run_queue queues[THREAD_PRIORITIES];
    struct thread *asleep; /* those with a wake_us, the next one first */
    struct thread *gone;   /* has ended here; until the next trap, this CPU may be on its stack */
    unsigned threads;      /* that belong to it */
} cpus[ARCH_CPUS];

ARCH_DEBUGGER_PATH const struct schedule_cpu *schedule_cpu(unsigned cpu)
{
    return &cpus[cpu].shown;
}

ARCH_DEBUGGER_PATH struct thread *thread_current(void)
{
    return cpus[arch_cpu_id()].shown.current;
}

void schedule_init_cpu(struct thread *current, struct thread *idle)
{
    struct schedule_cpu *cpu = &cpus[arch_cpu_id()].shown;

    idle->priority = THREAD_IDLE;
    current->state = THREAD_RUNNING;
    current->has_run = true;
    current->since_us = arch_time_us();
    cpu->idle = idle;
    cpu->current = current;
}

static unsigned emptiest_cpu(void)
{
    unsigned best = 0;

    for (unsigned i = 1; i < arch_cpu_count(); i++) {
        if (cpus[i].threads < cpus[best].threads && cpus[i].shown.current != NULL)
            best = i;
    }
    return best;
}

void schedule_place(struct thread *thread, int cpu)
{
    thread->cpu = cpu == THREAD_ANY_CPU ? emptiest_cpu() : (unsigned)cpu;
    cpus[thread->cpu].threads++;
}

void schedule_remove(struct thread *thread)
{
    cpus[thread->cpu].threads--;
}

/* ---- Queues: with schedule_lock held ---- */

static void push(struct run_queue *queue, struct thread *thread)
{
    thread->next = NULL;
    if (queue->first == NULL)
        queue->first = thread;
    else
        queue->last->next = thread;
    queue->last = thread;
}

/* The first that the debugger does not hold, or NULL. */
static struct thread *pop(struct run_queue *queue)
{
    struct thread **link = &queue->first, *thread, *before = NULL;

    while (*link != NULL && (*link)->held) {
        before = *link;
        link = &before->next;
    }
    thread = *link;
    if (thread == NULL)
        return NULL;
    *link = thread->next;
    if (queue->last == thread)
        queue->last = before;
    return thread;
}

static void forget_sleeper(struct thread *thread)
{
    struct thread **link = &cpus[thread->cpu].asleep;

    while (*link != NULL && *link != thread)
        link = &(*link)->next_asleep;
    if (*link == thread)
        *link = thread->next_asleep;
    thread->wake_us = 0;
}

void schedule_sleep_until(struct thread *thread, uint64_t wake_us)
{
    struct thread **link = &cpus[thread->cpu].asleep;

    while (*link != NULL && (*link)->wake_us <= wake_us)
        link = &(*link)->next_asleep;
    thread->wake_us = wake_us;
    thread->next_asleep = *link;
    *link = thread;
}

void schedule_wake(struct thread *thread)
{
    struct cpu *cpu = &cpus[thread->cpu];
    bool urgent = cpu->shown.current == NULL || thread->priority < cpu->shown.current->priority;

    if (thread->wake_us != 0)
        forget_sleeper(thread);
    thread->state = THREAD_RUNNABLE;
    push(&cpu->queues[thread->priority], thread);
    if (urgent)
        arch_send_interrupt(thread->cpu, ARCH_INTERRUPT_RESCHEDULE);
}

/* ---- Switching ---- */

static struct thread *choose(struct cpu *cpu)
{
    for (unsigned priority = 0; priority < THREAD_IDLE; priority++) {
        struct thread *thread = pop(&cpu->queues[priority]);

        if (thread != NULL)
            return thread;
    }
    return cpu->shown.idle;
}

static void switch_threads(struct cpu *cpu, struct thread *from, struct thread *to)
{
    uint64_t now_us = arch_time_us();

    from->run_us += now_us - from->since_us;
    from->since_us = now_us;
    if (from->state == THREAD_ENDED)
        cpu->gone = from;
    to->since_us = now_us;
    to->has_run = true;
    cpu->shown.current = to;
    cpu->shown.switches++;
    flight_switch(from, to);
    arch_switch(&from->context, &to->context, to->stack_top, to->space);
}

/* A trap's way out still uses the stack that it came in on: only the next trap proves that nobody
 * is on the stack of a thread that has ended. */
static void let_go(struct cpu *cpu)
{
    if (cpu->gone != NULL)
        cpu->gone->left = true;
    cpu->gone = NULL;
}

/* The one place where threads change.  One that is no longer RUNNING waits, or has been woken again
 * before it got here; it is in the queue that it belongs to.  With schedule_lock held. */
static void change_threads(struct cpu *cpu, struct trap *trap)
{
    struct thread *from = cpu->shown.current, *to;

    let_go(cpu);
    from->frame = trap->frame;
    if (from->state == THREAD_RUNNING && from != cpu->shown.idle) {
        from->state = THREAD_RUNNABLE;
        push(&cpu->queues[from->priority], from);
    } else if (from == cpu->shown.idle) {
        from->state = THREAD_RUNNABLE;
    }
    to = choose(cpu);
    to->state = THREAD_RUNNING;
    if (to != from)
        switch_threads(cpu, from, to);
    trap->frame = to->frame;
}

void schedule_next(struct trap *trap)
{
    struct cpu *cpu = &cpus[trap->cpu];

    if (cpu->shown.current == NULL)
        return;
    spin_lock(&schedule_lock);
    change_threads(cpu, trap);
    spin_unlock(&schedule_lock);
}

/* Is there a thread to run that is more urgent than this one?  With schedule_lock held. */
static bool is_outranked(const struct cpu *cpu, const struct thread *current)
{
    for (unsigned priority = 0; priority < current->priority; priority++) {
        for (const struct thread *thread = cpu->queues[priority].first; thread != NULL;
             thread = thread->next) {
            if (!thread->held)
                return true;
        }
    }
    return false;
}

/* Has a CPU the lock that GDB holds while this one runs? */
static bool is_held_up(void)
{
    unsigned holder = atomic_load(&schedule_lock.holder);

    return holder != 0 && stop_holds(holder - 1);
}

/* For what has interrupted a thread.  If the lock is held up it must not wait, or the thread would
 * never go on that GDB wants to see running, alone; a later tick makes up for what is left out. */
static bool lock_if_possible(void)
{
    return spin_lock_unless(&schedule_lock, is_held_up);
}

void schedule_preempt(struct trap *trap)
{
    struct cpu *cpu = &cpus[trap->cpu];

    if (cpu->shown.current == NULL || !lock_if_possible())
        return;
    if (is_outranked(cpu, cpu->shown.current))
        change_threads(cpu, trap);
    spin_unlock(&schedule_lock);
}

static void wake_due(struct cpu *cpu, uint64_t now_us)
{
    while (cpu->asleep != NULL && cpu->asleep->wake_us <= now_us)
        thread_time_out(cpu->asleep);
}

void schedule_tick(struct trap *trap)
{
    struct cpu *cpu = &cpus[trap->cpu];

    cpu->shown.ticks++;
    cpu->shown.tick_us = arch_time_us();
    if (cpu->shown.current == NULL || !lock_if_possible())
        return;
    wake_due(cpu, cpu->shown.tick_us);
    change_threads(cpu, trap);
    spin_unlock(&schedule_lock);
}
