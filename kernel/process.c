/*
 * process.c - the table of processes: how they begin, are waited for, and end.
 *
 * One lock, that of the queue in which parents wait, is over the table.  Memory is built before the
 * first thread runs, and taken down by the last one, after all have left it: without the lock.
 */
#include "process.h"

#include "arch/arch.h"
#include "elf.h"
#include "error.h"
#include "format.h"
#include "log.h"
#include "program.h"
#include "string.h"

static struct {
    struct process processes[PROCESSES];
    uint32_t last_id;
    struct wait_queue ended; /* parents */
} table = {.ended = WAIT_QUEUE("processes")};

struct process *process_current(void)
{
    return thread_current()->process;
}

/* ---- Beginning ---- */

/* A process with one thread to come; NULL if there are too many. */
static struct process *take_place(const char *name, struct process *parent)
{
    struct process *process = NULL;

    spin_lock(&table.ended.lock);
    for (size_t i = 0; i < PROCESSES && process == NULL; i++) {
        if (table.processes[i].id == 0)
            process = &table.processes[i];
    }
    if (process != NULL) {
        *process = (struct process){.id = ++table.last_id,
                                    .parent = parent,
                                    .threads = 1,
                                    .sleepers = WAIT_QUEUE("sleepers")};
        format_text(process->name, sizeof process->name, "%s", name);
    }
    spin_unlock(&table.ended.lock);
    return process;
}

static void give_place(struct process *process)
{
    spin_lock(&table.ended.lock);
    process->id = 0;
    spin_unlock(&table.ended.lock);
}

static bool add_segments(struct space *space, const struct program_file *file,
                         const struct elf_program *program)
{
    for (size_t i = 0; i < program->segment_count; i++) {
        const struct elf_segment *segment = &program->segments[i];
        const struct region region = {
            .start = segment->start,
            .end = segment->end,
            .permissions = segment->permissions,
            .file = file->physical + segment->offset,
            .file_bytes = segment->file_bytes,
        };

        if (!space_add(space, &region))
            return false;
    }
    return true;
}

enum {
    STACK_ALIGNMENT = 16, /* System V ABI, 3.2.2 */
};

/* The stack, with the argument at its top: *sp is its address. */
static bool add_stack(struct space *space, const char *argument, uint64_t *sp)
{
    size_t len = strlen(argument) + 1;

    *sp = (ARCH_USER_END - len) & ~(uint64_t)(STACK_ALIGNMENT - 1);
    return space_add_stack(space, ARCH_USER_END) && space_copy_out(space, *sp, argument, len);
}

/* Nobody waits for a thread: they wait for the process. */
static struct thread *create_thread(struct process *process)
{
    struct thread *thread = thread_create(process->name, THREAD_NORMAL, THREAD_ANY_CPU);

    if (thread == NULL)
        return NULL;
    thread_detach(thread);
    thread->process = process;
    thread->space = process->space.root;
    return thread;
}

static void run_thread(struct thread *thread, uint64_t entry, uint64_t sp, uint64_t argument)
{
    thread_run(thread, arch_frame_for_user(thread->stack_top, entry, sp, argument));
}

/* Build its memory and start its first thread.  False, with nothing left, if memory is short. */
static bool begin(struct process *process, const struct program_file *file,
                  const struct elf_program *program, const char *argument)
{
    struct thread *thread = NULL;
    uint64_t sp;

    if (!space_create(&process->space))
        return false;
    if (add_segments(&process->space, file, program) && add_stack(&process->space, argument, &sp))
        thread = create_thread(process);
    if (thread == NULL) {
        space_destroy(&process->space);
        return false;
    }
    process->first_thread = thread->id;
    run_thread(thread, program->entry, sp, sp);
    return true;
}

int64_t process_start(const char *name, const char *argument, struct process *parent)
{
    static const struct elf_range user_memory = {ARCH_USER_START, ARCH_USER_END};
    struct program_file file;
    struct elf_program program;
    struct process *process;
    const char *wrong;
    uint32_t id;

    if (!program_find(name, &file))
        return -ERROR_NOENT;
    wrong = elf_read(file.bytes, file.size, user_memory, &program);
    if (wrong != NULL) {
        log_print(LOG_WARNING, "program %s: %s", name, wrong);
        return -ERROR_NOENT;
    }
    process = take_place(name, parent);
    if (process == NULL)
        return -ERROR_NOMEM;
    id = process->id; /* it may be over before begin() returns */
    if (begin(process, &file, &program, argument))
        return id;
    give_place(process);
    return -ERROR_NOMEM;
}

/* Count one more thread, if there may be one. */
static bool count_thread(struct process *process)
{
    bool possible;

    spin_lock(&table.ended.lock);
    possible = process->threads < PROCESS_THREADS;
    if (possible)
        process->threads++;
    spin_unlock(&table.ended.lock);
    return possible;
}

/* True if that was the last one. */
static bool uncount_thread(struct process *process)
{
    bool last;

    spin_lock(&table.ended.lock);
    last = --process->threads == 0;
    spin_unlock(&table.ended.lock);
    return last;
}

int64_t process_start_thread(uint64_t entry, uint64_t stack, uint64_t argument)
{
    struct process *process = process_current();
    struct thread *thread;
    uint32_t id;

    if (!count_thread(process))
        return -ERROR_NOMEM;
    thread = create_thread(process);
    if (thread == NULL) {
        (void)uncount_thread(process);
        return -ERROR_NOMEM;
    }
    id = thread->id;
    run_thread(thread, entry, stack, argument);
    return id;
}

/* ---- Waiting ---- */

/* A child of `parent`; one that has ended, if there is one.  With the lock held. */
static struct process *find_child(const struct process *parent, uint32_t id)
{
    struct process *child = NULL;

    for (size_t i = 0; i < PROCESSES; i++) {
        struct process *process = &table.processes[i];

        if (process->id == 0 || process->parent != parent || process->orphan ||
            (id != 0 && process->id != id))
            continue;
        if (process->ended)
            return process;
        child = process;
    }
    return child;
}

int64_t process_wait(struct process *parent, uint32_t id, uint32_t *ended)
{
    struct process *child;
    int64_t status = -ERROR_CHILD;

    spin_lock(&table.ended.lock);
    while ((child = find_child(parent, id)) != NULL && !child->ended &&
           !(parent != NULL && parent->ending))
        (void)wait_in(&table.ended, "the end of a program", 0);
    if (child != NULL && child->ended) {
        status = child->status;
        if (ended != NULL)
            *ended = child->id;
        child->id = 0;
    }
    spin_unlock(&table.ended.lock);
    return status;
}

void process_sleep_us(uint64_t us)
{
    enum { LONGEST_US = 1000000000 }; /* at a time: no sum of times overflows */
    struct process *process = process_current();
    struct wait_queue *queue = &process->sleepers;
    uint64_t start_us = arch_time_us(), passed_us = 0;

    spin_lock(&queue->lock);
    while (!process->ending && passed_us < us) {
        (void)wait_in(queue, "sleep", us - passed_us < LONGEST_US ? us - passed_us : LONGEST_US);
        passed_us = arch_time_us() - start_us;
    }
    spin_unlock(&queue->lock);
}

/* ---- Ending ---- */

/* With the lock held. */
static void orphan_children(const struct process *parent)
{
    for (size_t i = 0; i < PROCESSES; i++) {
        struct process *child = &table.processes[i];

        if (child->id == 0 || child->parent != parent)
            continue;
        child->orphan = true;
        child->parent = NULL;
        if (child->ended)
            child->id = 0;
    }
}

/* No thread is left in it. */
static void finish(struct process *process)
{
    space_destroy(&process->space);
    spin_lock(&table.ended.lock);
    orphan_children(process);
    process->ended = true;
    if (process->orphan)
        process->id = 0;
    wake_all(&table.ended);
    spin_unlock(&table.ended.lock);
}

_Noreturn void process_exit_thread(int status)
{
    struct thread *thread = thread_current();
    struct process *process = thread->process;

    thread->process = NULL;
    thread->space = arch_kernel_space();
    arch_space_load(thread->space); /* the program's may go now */
    spin_lock(&table.ended.lock);
    if (!process->ending && thread->id == process->first_thread)
        process->status = status;
    spin_unlock(&table.ended.lock);
    if (uncount_thread(process))
        finish(process);
    thread_exit(status);
}

void process_end(struct process *process, int status)
{
    spin_lock(&table.ended.lock);
    if (!process->ending) {
        process->ending = true;
        process->status = status;
    }
    wake_all(&table.ended);
    spin_unlock(&table.ended.lock);
    spin_lock(&process->sleepers.lock);
    wake_all(&process->sleepers);
    spin_unlock(&process->sleepers.lock);
}

static void end_thread(void *argument)
{
    (void)argument;
    process_exit_thread(process_current()->status);
}

ARCH_DEBUGGER_PATH enum trap_verdict process_check(struct trap *trap)
{
    const struct thread *thread;

    if (trap->origin != TRAP_FROM_USER)
        return TRAP_DECLINED;
    thread = thread_current();
    if (!thread->process->ending)
        return TRAP_DECLINED;
    trap->frame = arch_frame_for_kernel(thread->stack_top, end_thread, NULL);
    return trap->kind == TRAP_INTERRUPT ? TRAP_DECLINED : TRAP_HANDLED;
}
