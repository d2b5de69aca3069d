/*
 * stop.c - who has the machine, and what each other CPU is asked.
 *
 * An NMI that comes on a CPU's way into a trap of its own, or out of one, is let pass: the CPU
 * joins by itself, or is asked again until it does.
 */
#include "stop.h"

#include <stdatomic.h>
#include <stddef.h>

#include "cpus.h"

enum stop_limits {
    PATIENCE_US = 1000000, /* an emulator's CPUs may be held up */
    ASK_AGAIN_US = 200,
    TURN_US = 20000, /* for a CPU that is said to want the machine to take it */
    NOBODY = 0,
};

/* A CPU's way into a stop and out of it.  Who has the machine moves it to ASKED and RELEASED, the
 * CPU itself to STOPPED and RUNNING. */
enum stop_state {
    RUNNING,
    ASKED,
    STOPPED,       /* its frame is valid */
    RELEASED,      /* it may go, if nobody asks again before it does */
    RELEASED_STEP, /* ... one step */
};

static struct {
    atomic_uint owner;   /* CPU + 1 */
    atomic_uint count;   /* stop_count() */
    atomic_uint last;    /* CPU + 1 that has stopped the others last */
    atomic_uint waiting; /* a bit for each CPU that wants the machine, and has not had it since */
    struct cpu {
        atomic_uint state;
        atomic_bool sent; /* an NMI is on its way, or was */
        struct trap_frame *frame;
        atomic_bool lost;      /* it did not answer in time, and nobody waits for it again */
        enum stop_order order; /* when the machine is given back */
        void (*_Atomic call)(void *argument);
        void *argument;
        atomic_bool called; /* it has returned */
    } cpus[ARCH_CPUS];
} stop;

bool stop_take(void)
{
    unsigned me = arch_cpu_id(), owner = NOBODY;

    if (!atomic_compare_exchange_strong(&stop.owner, &owner, me + 1) && owner != me + 1)
        return false;
    atomic_fetch_and(&stop.waiting, ~(1u << me));
    return true;
}

/* Who is said to wait may have found on its way that it need not: that is forgotten in the end. */
void stop_wait_turn(void)
{
    unsigned me = arch_cpu_id(), mine = 1u << me;
    struct arch_wait wait = arch_wait_for(TURN_US);

    atomic_fetch_or(&stop.waiting, mine);
    while (atomic_load(&stop.last) == me + 1 && (atomic_load(&stop.waiting) & ~mine) != 0 &&
           !stop_is_asked(me)) {
        if (!arch_wait_on(&wait))
            atomic_store(&stop.waiting, mine);
    }
}

bool stop_borrow(void)
{
    unsigned owner = NOBODY;

    return atomic_compare_exchange_strong(&stop.owner, &owner, arch_cpu_id() + 1);
}

void stop_return(void)
{
    unsigned me = arch_cpu_id() + 1;

    (void)atomic_compare_exchange_strong(&stop.owner, &me, NOBODY);
}

bool stop_has(void)
{
    return atomic_load(&stop.owner) == arch_cpu_id() + 1;
}

/* Move a CPU's state, if it is `from`. */
static bool move(struct cpu *cpu, unsigned from, unsigned to)
{
    return atomic_compare_exchange_strong(&cpu->state, &from, to);
}

static void ask(unsigned id)
{
    struct cpu *cpu = &stop.cpus[id];

    if (move(cpu, RELEASED, ASKED) || move(cpu, RELEASED_STEP, ASKED) ||
        atomic_load(&cpu->state) == STOPPED)
        return; /* it has not gone yet, and sees that */
    (void)move(cpu, RUNNING, ASKED);
    atomic_store(&cpu->sent, true);
    arch_send_nmi(id);
}

/* Is there nothing to wait for? */
static bool is_settled(const struct cpu *cpu)
{
    return atomic_load(&cpu->state) == STOPPED || atomic_load(&cpu->lost);
}

/* True if all have stopped that answer. */
static bool ask_all(unsigned me)
{
    bool stopped = true;

    for (unsigned id = 0; id < arch_cpu_count(); id++) {
        if (id == me)
            continue;
        ask(id);
        stopped = stopped && is_settled(&stop.cpus[id]);
    }
    return stopped;
}

static bool all_stopped(unsigned me)
{
    for (unsigned id = 0; id < arch_cpu_count(); id++) {
        if (id != me && !is_settled(&stop.cpus[id]))
            return false;
    }
    return true;
}

void stop_others(void)
{
    unsigned me = arch_cpu_id();
    struct arch_wait wait = arch_wait_for(PATIENCE_US);
    uint64_t asked_us = wait.looked_us;
    bool stopped = ask_all(me);

    atomic_fetch_add(&stop.count, 1);
    atomic_store(&stop.last, me + 1);
    while (!stopped && arch_wait_on(&wait)) {
        stopped = all_stopped(me);
        if (!stopped && wait.looked_us - asked_us > ASK_AGAIN_US) {
            stopped = ask_all(me);
            asked_us = wait.looked_us;
        }
    }
    for (unsigned id = 0; id < arch_cpu_count() && !stopped; id++) {
        if (id != me && !is_settled(&stop.cpus[id]))
            atomic_store(&stop.cpus[id].lost, true);
    }
}

unsigned stop_count(void)
{
    return atomic_load(&stop.count);
}

struct trap_frame *stop_frame(unsigned cpu)
{
    return atomic_load(&stop.cpus[cpu].state) == STOPPED ? stop.cpus[cpu].frame : NULL;
}

bool stop_answers(unsigned cpu)
{
    return cpu == arch_cpu_id() || stop_frame(cpu) != NULL;
}

void stop_order(unsigned cpu, enum stop_order order)
{
    stop.cpus[cpu].order = order;
}

enum stop_order stop_ordered(unsigned cpu)
{
    return stop.cpus[cpu].order;
}

bool stop_holds(unsigned cpu)
{
    return stop.cpus[cpu].order == STOP_HOLD && atomic_load(&stop.cpus[cpu].state) == STOPPED;
}

static void release(struct cpu *cpu)
{
    if (cpu->order == STOP_HOLD) {
        (void)move(cpu, RUNNING, ASKED); /* the caller's own */
        return;
    }
    (void)move(cpu, ASKED, RUNNING); /* it never came */
    (void)move(cpu, STOPPED, cpu->order == STOP_STEP ? RELEASED_STEP : RELEASED);
}

static bool is_going(const struct cpu *cpu)
{
    unsigned state = atomic_load(&cpu->state);

    return state == RELEASED || state == RELEASED_STEP;
}

/* Before the caller goes on, the others do: or else one that stops again at once, at a breakpoint
 * in a short loop, never lets them get anywhere. */
void stop_give_back(void)
{
    struct arch_wait wait = arch_wait_for(PATIENCE_US);

    for (unsigned id = 0; id < ARCH_CPUS; id++)
        release(&stop.cpus[id]);
    for (unsigned id = 0; id < arch_cpu_count(); id++) {
        while (is_going(&stop.cpus[id]) && arch_wait_on(&wait))
            ;
    }
    atomic_store(&stop.owner, NOBODY);
}

bool stop_is_asked(unsigned cpu)
{
    return atomic_load(&stop.cpus[cpu].state) == ASKED;
}

static void serve_call(struct cpu *cpu)
{
    void (*call)(void *) = atomic_exchange(&cpu->call, NULL);

    if (call == NULL)
        return;
    call(cpu->argument);
    atomic_store(&cpu->called, true);
}

void stop_join(struct trap_frame *frame)
{
    struct cpu *cpu = &stop.cpus[arch_cpu_id()];

    cpu->frame = frame;
    atomic_store(&cpu->lost, false);
    if (!move(cpu, ASKED, STOPPED))
        return; /* no longer wanted */
    while (!move(cpu, RELEASED, RUNNING) && atomic_load(&cpu->state) != RUNNING) {
        (void)move(cpu, ASKED, STOPPED); /* again, before it could go; or it was given up */
        if (move(cpu, RELEASED_STEP, RUNNING)) {
            while (arch_step_without_running(frame))
                ;
            arch_frame_set_step(frame, true);
            return;
        }
        serve_call(cpu);
        cpus_serve_flush(); /* a CPU that is allowed to run may wait for it */
        arch_pause();
    }
    arch_frame_set_step(frame, false);
}

bool stop_take_or_join(struct trap_frame *frame)
{
    while (!stop_take()) {
        if (stop_is_asked(arch_cpu_id())) {
            stop_join(frame);
            return false;
        }
        arch_pause();
    }
    return true;
}

bool stop_call(unsigned cpu, void (*function)(void *), void *argument)
{
    struct cpu *other = &stop.cpus[cpu];
    struct arch_wait wait = arch_wait_for(PATIENCE_US);

    if (atomic_load(&other->state) != STOPPED)
        return false;
    other->argument = argument;
    atomic_store(&other->called, false);
    atomic_store(&other->call, function);
    while (!atomic_load(&other->called)) {
        if (!arch_wait_on(&wait) && atomic_exchange(&other->call, NULL) != NULL) {
            atomic_store(&other->lost, true);
            (void)move(other, STOPPED, ASKED); /* it has gone on, and come to its end */
            return false;
        }
    }
    return true;
}

/* One that comes late, because its CPU has joined by itself, is still ours. */
enum trap_verdict stop_handle(struct trap *trap)
{
    struct cpu *cpu = &stop.cpus[trap->cpu];
    bool sent = atomic_exchange(&cpu->sent, false);

    if (atomic_load(&cpu->state) == ASKED && !arch_in_trap(trap->frame))
        stop_join(trap->frame);
    else if (!sent)
        return TRAP_DECLINED;
    return TRAP_HANDLED;
}
