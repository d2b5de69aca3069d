/*
 * debugger_port.c - what the stub asks of this kernel, answered.  Decides nothing about when.
 */
#include "debugger_port.h"

#include <stddef.h>

#include "debugger_line.h"
#include "debugger_monitor.h"
#include "debugger_objects.h"
#include "format.h"
#include "log.h"
#include "schedule.h"
#include "stop.h"
#include "suspect.h"
#include "thread.h"
#include "user_memory.h"

static void port_send(void *ctx, const void *bytes, size_t len)
{
    (void)ctx;
    debugger_line_send(bytes, len);
}

/* ---- Threads, and where their registers are ---- */

/* Before there are threads, the CPU itself is the first one. */
enum {
    FIRST_THREAD = 1,
};

static gdbstub_thread id_of(const struct thread *thread)
{
    return thread == NULL ? FIRST_THREAD : thread->id;
}

gdbstub_thread debugger_current_thread(void)
{
    return id_of(thread_current());
}

void debugger_look_here(struct debugger_machine *here, const struct trap *trap)
{
    here->cpu = trap->cpu;
    here->frame = trap->frame;
    here->thread = id_of(schedule_cpu(trap->cpu)->current);
}

/* NULL for one that has ended, and that nobody waits for, or that has not got its first frame. */
static struct thread *find(gdbstub_thread id)
{
    struct thread *thread = id <= UINT32_MAX ? thread_find((uint32_t)id) : NULL;

    if (thread == NULL || (thread->frame == NULL && !suspect_runs(thread)))
        return NULL;
    return thread->state == THREAD_ENDED && thread->detached && thread->left ? NULL : thread;
}

/* One access to a register, by the CPU that has it. */
struct access {
    struct trap_frame *frame;
    size_t reg;
    void *read;        /* or NULL */
    const void *write; /* or NULL */
    bool done;
};

static void access_here(void *argument)
{
    struct access *access = argument;

    access->done = access->read != NULL
                       ? arch_register_read(access->frame, access->reg, access->read)
                       : arch_register_write(access->frame, access->reg, access->write);
}

static bool access_cpu(const struct debugger_machine *machine, unsigned cpu, struct access *access)
{
    access->frame = cpu == machine->cpu ? machine->frame : stop_frame(cpu);
    if (cpu == machine->cpu)
        access_here(access);
    else if (access->frame == NULL || !stop_call(cpu, access_here, access))
        return false;
    return access->done;
}

static bool access_parked(struct thread *thread, const struct access *access)
{
    return access->read != NULL
               ? arch_parked_read(thread->frame, &thread->context, access->reg, access->read)
               : arch_parked_write(thread->frame, &thread->context, access->reg, access->write);
}

static bool access_register(const struct debugger_machine *machine, gdbstub_thread id,
                            struct access access)
{
    struct thread *thread = find(id);

    if (id == machine->thread)
        return access_cpu(machine, machine->cpu, &access);
    if (thread != NULL && suspect_runs(thread))
        return access_cpu(machine, thread->cpu, &access);
    return thread != NULL && access_parked(thread, &access);
}

static bool port_read_register(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    const struct debugger_machine *machine = ctx;

    if (thread == machine->thread)
        return arch_register_read(machine->frame, reg, value);
    return access_register(ctx, thread, (struct access){.reg = reg, .read = value});
}

static bool port_write_register(void *ctx, gdbstub_thread thread, size_t reg, const void *value)
{
    return access_register(ctx, thread, (struct access){.reg = reg, .write = value});
}

static bool is_listed(const struct thread *thread)
{
    return find(thread->id) != NULL && (thread->has_run || thread->priority != THREAD_IDLE);
}

static gdbstub_thread port_next_thread(void *ctx, gdbstub_thread id)
{
    const struct thread *thread = id == GDBSTUB_NO_THREAD ? NULL : find(id);

    (void)ctx;
    if (id == GDBSTUB_NO_THREAD && thread_current() == NULL)
        return FIRST_THREAD;
    if (id != GDBSTUB_NO_THREAD && thread == NULL)
        return GDBSTUB_NO_THREAD;
    do {
        thread = thread_next(thread);
    } while (thread != NULL && !is_listed(thread));
    return thread == NULL ? GDBSTUB_NO_THREAD : thread->id;
}

static void describe_state(const struct thread *thread, char *text, size_t size)
{
    static const char *const states[] = {
        [THREAD_UNUSED] = "",           [THREAD_RUNNING] = "",        [THREAD_RUNNABLE] = "",
        [THREAD_SLEEPING] = "sleeping", [THREAD_WAITING] = "waiting", [THREAD_ENDED] = "ended",
    };
    const struct thread *owner = thread->wants == NULL ? NULL : suspect_owner(thread->wants);
    bool runs = suspect_runs(thread);
    char reason[GDBSTUB_NAME_SIZE];

    suspect_text(reason, sizeof reason, thread->wait_reason);
    if (runs && !stop_answers(thread->cpu))
        format_text(text, size, "CPU %u does not answer", thread->cpu);
    else if (runs)
        format_text(text, size, "running on CPU %u", thread->cpu);
    else if (thread->state == THREAD_RUNNABLE)
        format_text(text, size, "runnable on CPU %u", thread->cpu);
    else if (owner != NULL)
        format_text(text, size, "wants %s, thread %u's", reason, owner->id);
    else if (thread->state == THREAD_WAITING)
        format_text(text, size, "waiting: %s", reason);
    else if (thread->state < sizeof states / sizeof states[0])
        format_text(text, size, "%s", states[thread->state]);
    else
        format_text(text, size, "in state %u", (unsigned)thread->state);
}

static bool port_thread_info(void *ctx, gdbstub_thread id, struct gdbstub_thread_info *info)
{
    const struct thread *thread = find(id);

    (void)ctx;
    if (thread == NULL && id == FIRST_THREAD && thread_current() == NULL) {
        *info = (struct gdbstub_thread_info){.name = "main", .state = "running", .cpu = 0};
        return true;
    }
    if (thread == NULL)
        return false;
    info->cpu = thread->cpu;
    suspect_text(info->name, sizeof info->name, thread->name);
    describe_state(thread, info->state, sizeof info->state);
    return true;
}

/* ---- What each thread is to do ---- */

void debugger_note_step(void)
{
    struct thread *thread = thread_current();

    if (thread != NULL)
        thread->stepped = true;
}

/* Where a thread goes on; NULL: its CPU does not answer. */
static struct trap_frame *frame_of(const struct debugger_machine *machine,
                                   const struct thread *thread)
{
    if (!suspect_runs(thread))
        return thread->frame;
    return thread->cpu == machine->cpu ? machine->frame : stop_frame(thread->cpu);
}

/* A step that has not come to its end is over: it may be waiting in a system call. */
static void cancel_step(const struct debugger_machine *machine, struct thread *thread)
{
    struct trap_frame *frame = frame_of(machine, thread);

    if (!thread->stepped)
        return;
    thread->stepped = false;
    if (frame != NULL)
        arch_parked_set_step(frame, false);
    if (thread->process != NULL)
        arch_parked_set_step(arch_user_frame(thread->stack_top), false);
}

void debugger_take(struct debugger_machine *machine, struct trap_frame *frame)
{
    machine->cpu = arch_cpu_id();
    machine->frame = frame;
    machine->thread = debugger_current_thread();
    machine->resume = (struct gdbstub_resume){GDBSTUB_RUN, GDBSTUB_SIGNAL_NONE};
    for (struct thread *thread = thread_next(NULL); thread != NULL; thread = thread_next(thread)) {
        thread->held = false;
        cancel_step(machine, thread);
    }
    for (unsigned cpu = 0; cpu < ARCH_CPUS; cpu++)
        stop_order(cpu, STOP_RUN);
}

unsigned debugger_running_cpu(const struct debugger_machine *machine)
{
    if (stop_ordered(machine->cpu) != STOP_HOLD)
        return machine->cpu;
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        if (stop_frame(cpu) != NULL && stop_ordered(cpu) != STOP_HOLD)
            return cpu;
    }
    return machine->cpu;
}

bool debugger_others_run(const struct debugger_machine *machine)
{
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        if (cpu != machine->cpu && stop_frame(cpu) != NULL && stop_ordered(cpu) != STOP_RUN)
            return false;
    }
    return true;
}

static const enum stop_order orders[] = {
    [GDBSTUB_HOLD] = STOP_HOLD,
    [GDBSTUB_STEP] = STOP_STEP,
    [GDBSTUB_RUN] = STOP_RUN,
};

static const char HELD_CPU[] = "it does not run, and what its CPU runs is to stay stopped";

/* Is a thread of that CPU to step that does not run there? */
static bool has_stepped(unsigned cpu)
{
    const struct thread *thread = NULL;

    while ((thread = thread_next(thread)) != NULL) {
        if (thread->cpu == cpu && thread->stepped)
            return true;
    }
    return false;
}

static const char *order_cpu(struct debugger_machine *machine, unsigned cpu,
                             struct gdbstub_resume how)
{
    if (cpu == machine->cpu)
        machine->resume = how;
    else if (stop_frame(cpu) == NULL && how.action == GDBSTUB_STEP)
        return "its CPU does not answer";
    if (how.action == GDBSTUB_HOLD && has_stepped(cpu))
        return HELD_CPU;
    stop_order(cpu, orders[how.action]);
    return NULL;
}

/* Not on a CPU: the scheduler leaves it alone if it is to hold; a step is over when it has had its
 * turn again. */
static const char *order_parked(struct thread *thread, enum gdbstub_action action)
{
    if (action == GDBSTUB_STEP && stop_ordered(thread->cpu) == STOP_HOLD)
        return HELD_CPU;
    thread->held = action == GDBSTUB_HOLD;
    if (thread->stepped)
        arch_parked_set_step(thread->frame, true);
    return NULL;
}

static const char *port_set_resume(void *ctx, gdbstub_thread id, struct gdbstub_resume how)
{
    struct debugger_machine *machine = ctx;
    struct thread *thread = find(id);

    if (thread == NULL && id != FIRST_THREAD)
        return "there is no such thread";
    if (thread != NULL)
        thread->stepped = how.action == GDBSTUB_STEP;
    if (thread == NULL || suspect_runs(thread))
        return order_cpu(machine, thread == NULL ? machine->cpu : thread->cpu, how);
    return order_parked(thread, how.action);
}

/* ---- Memory ---- */

static uint64_t space_of(const struct debugger_machine *machine, gdbstub_thread id)
{
    const struct thread *thread = find(id);
    bool here = thread == NULL || (suspect_runs(thread) && thread->cpu == machine->cpu);

    return here ? arch_space_current() : thread->space;
}

static bool is_user_address(uint64_t address)
{
    return ARCH_USER_START <= address && address < ARCH_USER_END;
}

static size_t port_read_memory(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                               size_t len)
{
    return is_user_address(addr) ? user_memory_read(space_of(ctx, thread), addr, buf, len)
                                 : arch_copy(buf, (const void *)(uintptr_t)addr, len);
}

static size_t port_write_memory(void *ctx, gdbstub_thread thread, uint64_t addr, const void *buf,
                                size_t len)
{
    return is_user_address(addr) ? user_memory_write(space_of(ctx, thread), addr, buf, len)
                                 : arch_patch(addr, buf, len);
}

static const char *port_refuse_breakpoint(void *ctx, uint64_t addr, size_t len)
{
    (void)ctx;
    return arch_refuse_breakpoint(addr, len);
}

static enum gdbstub_point_result port_insert_point(void *ctx, enum gdbstub_point kind,
                                                   uint64_t addr, size_t len)
{
    (void)ctx;
    return arch_insert_point(kind, addr, len);
}

static enum gdbstub_point_result port_remove_point(void *ctx, enum gdbstub_point kind,
                                                   uint64_t addr, size_t len)
{
    (void)ctx;
    return arch_remove_point(kind, addr, len);
}

static bool port_execute(void *ctx, gdbstub_thread thread, uint64_t addr, const uint8_t *original,
                         size_t len)
{
    const struct debugger_machine *machine = ctx;

    return thread == machine->thread && arch_execute(machine->frame, addr, original, len);
}

/* One message for each text, which most often is a line.  Not on the console if GDB shows that. */
static void port_print(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (debugger_line_has_gdb())
        log_quietly(LOG_NOTICE, text, len);
    else
        log_text(LOG_NOTICE, text, len);
}

const struct gdbstub_port debugger_port = {
    .arch = &arch_gdb,
    .send = port_send,
    .read_register = port_read_register,
    .write_register = port_write_register,
    .read_memory = port_read_memory,
    .write_memory = port_write_memory,
    .refuse_breakpoint = port_refuse_breakpoint,
    .next_thread = port_next_thread,
    .thread_info = port_thread_info,
    .set_resume = port_set_resume,
    .insert_point = port_insert_point,
    .remove_point = port_remove_point,
    .execute = port_execute,
    .print = port_print,
    .monitor = debugger_monitor,
    .memory_region = debugger_memory_region,
    .objects = debugger_objects,
    .object_count = DEBUGGER_OBJECTS,
    .can_restart = true,
    .has_syscalls = true,
};
