/*
 * thread.h - threads: what one is, how one begins, waits and ends.
 *
 * One context format: a thread that does not run is a struct trap_frame on its own stack.  Who runs
 * next is schedule.h's matter.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "lock.h"

enum thread_limits {
    THREADS = 256, /* at one time */
    THREAD_NAME_BYTES = 32,
    THREAD_STACK_BYTES = 16 * 1024,
};

/* As in a record's THRD section. */
enum thread_state {
    THREAD_UNUSED = 0,
    THREAD_RUNNING = CRASH_THREAD_RUNNING,   /* on a CPU */
    THREAD_RUNNABLE = CRASH_THREAD_RUNNABLE, /* in its CPU's run queue */
    THREAD_SLEEPING = CRASH_THREAD_SLEEPING, /* until wake_us */
    THREAD_WAITING = CRASH_THREAD_WAITING,   /* in a wait queue, perhaps until wake_us */
    THREAD_ENDED = CRASH_THREAD_ENDED,       /* until somebody has asked for its status */
};

enum thread_priority {
    THREAD_HIGH,
    THREAD_NORMAL,
    THREAD_LOW,
    THREAD_IDLE, /* the idle threads' own */
    THREAD_PRIORITIES,
};

enum thread_cpu {
    THREAD_ANY_CPU = -1, /* the one with the fewest threads */
};

struct wait_queue;
struct mutex;
struct process;

struct thread {
    uint32_t id; /* from 1, never used again; 0: a free place */
    char name[THREAD_NAME_BYTES];
    volatile enum thread_state state;
    enum thread_priority priority;
    unsigned cpu;             /* the one whose run queue it belongs to, for life */
    bool detached;            /* nobody will ask for its status */
    bool has_run;             /* idle threads that never have are not worth a debugger's list */
    bool held;                /* the debugger wants it to stay as it is: not to be chosen */
    bool stepped;             /* ... wants it to stop after one instruction: TF is in its frame */
    bool left;                /* it has ended, and its stack is no longer in use */
    struct trap_frame *frame; /* while it does not run: all of its registers */
    struct arch_context context;
    uint8_t *stack; /* its kernel stack, [stack, stack_top) */
    uint8_t *stack_top;
    uint64_t space;             /* the address space it runs in: the kernel's, or its program's */
    struct process *process;    /* NULL: a thread of the kernel */
    struct thread *next;        /* in a run queue or a wait queue */
    struct thread *next_asleep; /* of its CPU, those with a wake_us: in its order */
    struct wait_queue *queue;   /* the one it waits in, or NULL */
    struct mutex *wants;        /* the mutex it waits for, or NULL */
    const char *wait_reason;    /* for people; "" while it does not wait */
    uint64_t wake_us;           /* when it wakes at the latest; 0: never */
    bool timed_out;             /* the last wait ended by wake_us */
    int status;                 /* after it has ended */
    uint64_t run_us;            /* how long it has run before since_us */
    uint64_t since_us;          /* since when it runs, or does not */
};

/* The caller becomes thread 1, "main", and this CPU gets its idle thread. */
void threads_init(void);

/* The same for another CPU: the caller becomes its idle thread, for ever. */
_Noreturn void threads_idle(unsigned cpu);

/* The thread that runs here.  NULL before threads_init().  Anywhere. */
struct thread *thread_current(void);

/* Start a thread that calls function(argument); its return ends it with status 0.  NULL if there
 * are too many or memory is short. */
struct thread *thread_start(const char *name, void (*function)(void *), void *argument,
                            enum thread_priority priority, int cpu);

/* The same in two steps, for one whose first frame the caller makes on its stack.  One that is
 * never run must be given back by thread_discard(). */
struct thread *thread_create(const char *name, enum thread_priority priority, int cpu);
void thread_run(struct thread *thread, struct trap_frame *frame);
void thread_discard(struct thread *thread);

_Noreturn void thread_exit(int status);

/* Wait until it has ended; returns its status.  Once for each thread, unless it is detached. */
int thread_join(struct thread *thread);
void thread_detach(struct thread *thread);

void thread_yield(void);
void thread_sleep_us(uint64_t us);

/* The thread after `thread` in the table (after NULL the first), or NULL.  Anywhere, where threads
 * stand still. */
struct thread *thread_next(const struct thread *thread);
struct thread *thread_find(uint32_t id);

/* ---- Waiting ---- */

struct wait_queue {
    struct spin_lock lock;
    struct thread *first, *last;
};

#define WAIT_QUEUE(queue_name)                                                                     \
    {                                                                                              \
        .lock = SPIN_LOCK(queue_name)                                                              \
    }

/* Wait in the queue, whose lock the caller holds: it is released meanwhile and held again on
 * return. False if timeout_us (0: none) passed first. */
bool wait_in(struct wait_queue *queue, const char *reason, uint64_t timeout_us);

/* Its wake_us has come.  With schedule_lock held. */
void thread_time_out(struct thread *thread);

/* Wake the first, or all; the caller holds the queue's lock. */
void wake_one(struct wait_queue *queue);
void wake_all(struct wait_queue *queue);

/* ---- Mutexes: held across waits; they know who has them, and since which call ---- */

struct mutex {
    struct wait_queue waiters;
    struct thread *owner;
    uint64_t site;      /* who took it: a pc */
    struct mutex *next; /* of all that are held: mutex_next_held() */
};

#define MUTEX(mutex_name)                                                                          \
    {                                                                                              \
        .waiters = WAIT_QUEUE(mutex_name)                                                          \
    }

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/* One that the thread holds, or NULL. */
const struct mutex *mutex_held_by(const struct thread *thread);

/* The mutexes that are held: after NULL the first.  Anywhere, where threads stand still. */
const struct mutex *mutex_next_held(const struct mutex *mutex);

#endif
