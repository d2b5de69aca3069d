/*
 * process.h - processes: a running program, its memory, its threads, and who waits for its end.
 *
 * A process ends when its last thread does.  Then its memory is given back at once; its status is
 * kept for its parent.  Nobody waits for the children of one that has ended.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "space.h"
#include "thread.h"
#include "trap/trap.h"

enum process_limits {
    PROCESSES = 64,
    PROCESS_THREADS = 16, /* of one */
    PROCESS_NAME_BYTES = THREAD_NAME_BYTES,
    PROCESS_ARGUMENT_BYTES = 128, /* with the NUL */
};

struct process {
    uint32_t id; /* from 1, never used again; 0: a free place */
    char name[PROCESS_NAME_BYTES];
    struct space space;
    struct process *parent; /* NULL: the kernel, or nobody */
    bool orphan;            /* nobody will wait for it */
    bool ended;             /* only `status` is left of it */
    volatile bool ending;   /* its threads are to end before they run user code again */
    unsigned threads;
    uint32_t first_thread; /* the id of the one whose status is the process's */
    int status;
    struct wait_queue sleepers; /* threads in process_sleep_us() */
};

/* The caller's; NULL in a thread of the kernel. */
struct process *process_current(void);

/* Start the program `name` as a child of `parent` (NULL: the kernel).  Its first thread begins with
 * the address of a copy of `argument`.  Returns its id, or -ERROR_NOENT, -ERROR_NOMEM. */
int64_t process_start(const char *name, const char *argument, struct process *parent);

/* Start another thread in the caller's process: at `entry`, with `argument`, on the stack that ends
 * at `stack`.  Returns its thread id, or -ERROR_NOMEM. */
int64_t process_start_thread(uint64_t entry, uint64_t stack, uint64_t argument);

/* Wait for the end of the child `id` of `parent` (NULL: the kernel), or of any if that is 0.
 * Returns its status, from 0, and which it was (`ended` may be NULL); -ERROR_CHILD if there is
 * none, or the caller's own process is ending. */
int64_t process_wait(struct process *parent, uint32_t id, uint32_t *ended);

/* Sleep, unless the process is ending. */
void process_sleep_us(uint64_t us);

/* The caller's thread has ended. */
_Noreturn void process_exit_thread(int status);

/* All threads of the process are to end, and `status` is its own.  Anywhere where locks may be
 * taken; the first call counts. */
void process_end(struct process *process, int status);

/* Row of the trap table, before those that handle: a thread whose process is ending goes no further
 * in user code.  Interrupts are declined, because they have to be served. */
enum trap_verdict process_check(struct trap *trap);

#endif
