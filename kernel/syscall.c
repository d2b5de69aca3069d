/*
 * syscall.c - what each system call does.
 *
 * Arguments are numbers that a program has chosen: whatever they are, only the program may come to
 * harm.  Memory is reached through space_copy_in() and space_copy_out() only.
 */
#include "syscall.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "console.h"
#include "debugger.h"
#include "error.h"
#include "flight.h"
#include "process.h"
#include "space.h"
#include "thread.h"

enum syscall_limits {
    WRITE_CHUNK_BYTES = 256, /* written without a break between other threads' */
    WRITE_BYTES = 4096,      /* of one call: what is longer is written in part */
    STATUS_BITS = 0xff,      /* of exit */
};

enum file_numbers {
    FILE_OUTPUT = 1,
    FILE_ERROR = 2,
};

static struct mutex console_mutex = MUTEX("console");

static bool is_user_range(uint64_t address, uint64_t len)
{
    return address >= ARCH_USER_START && len <= ARCH_USER_END && address <= ARCH_USER_END - len;
}

/* write(file, address, bytes): how many were written */
static int64_t call_write(const uint64_t *arguments)
{
    uint64_t from = arguments[1], len = arguments[2], done = 0;
    char chunk[WRITE_CHUNK_BYTES];

    if (arguments[0] != FILE_OUTPUT && arguments[0] != FILE_ERROR)
        return -ERROR_INVAL;
    if (!is_user_range(from, len))
        return -ERROR_FAULT;
    if (len > WRITE_BYTES)
        len = WRITE_BYTES;
    while (done < len) {
        size_t part = len - done < sizeof chunk ? (size_t)(len - done) : sizeof chunk;

        if (!space_copy_in(&process_current()->space, chunk, from + done, part))
            return done > 0 ? (int64_t)done : -ERROR_FAULT;
        mutex_lock(&console_mutex);
        (void)console_write(chunk, part);
        mutex_unlock(&console_mutex);
        done += part;
    }
    return (int64_t)done;
}

/* exit(status): of the thread; a process ends with its last one */
static int64_t call_exit(const uint64_t *arguments)
{
    process_exit_thread((int)(arguments[0] & STATUS_BITS));
}

static int64_t call_yield(const uint64_t *arguments)
{
    (void)arguments;
    thread_yield();
    return 0;
}

/* sleep(microseconds) */
static int64_t call_sleep(const uint64_t *arguments)
{
    process_sleep_us(arguments[0]);
    return 0;
}

static int64_t call_gettid(const uint64_t *arguments)
{
    (void)arguments;
    return thread_current()->id;
}

/* clock(): microseconds since boot */
static int64_t call_clock(const uint64_t *arguments)
{
    (void)arguments;
    return (int64_t)arch_time_us();
}

/* map(address or 0, bytes, permissions): the address; permissions 0 unmaps */
static int64_t call_map(const uint64_t *arguments)
{
    struct space *space = &process_current()->space;
    uint64_t address = arguments[0], len = arguments[1], permissions = arguments[2];

    if (permissions == 0)
        return space_remove(space, address, len) ? 0 : -ERROR_INVAL;
    if (len == 0 || (permissions | CRASH_MAP_WRITE) != (CRASH_MAP_READ | CRASH_MAP_WRITE))
        return -ERROR_INVAL;
    address = space_add_zeros(space, address, len, (unsigned)permissions);
    if (address != 0)
        return (int64_t)address;
    return arguments[0] != 0 ? -ERROR_INVAL : -ERROR_NOMEM;
}

/* Copy a text that the program has at `from`, NUL included. */
static int64_t copy_text(char *to, size_t size, uint64_t from)
{
    for (size_t i = 0; i < size; i++) {
        if (!space_copy_in(&process_current()->space, &to[i], from + i, 1))
            return -ERROR_FAULT;
        if (to[i] == '\0')
            return 0;
    }
    return -ERROR_INVAL;
}

/* spawn(0, argument, entry, stack): a thread's id */
static int64_t spawn_thread(const uint64_t *arguments)
{
    if (!is_user_range(arguments[2], 1) || !is_user_range(arguments[3], 0))
        return -ERROR_FAULT;
    return process_start_thread(arguments[2], arguments[3], arguments[1]);
}

/* spawn(name, argument, -, -): a program's id; both are texts, the second may be 0 */
static int64_t call_spawn(const uint64_t *arguments)
{
    char name[PROCESS_NAME_BYTES], argument[PROCESS_ARGUMENT_BYTES] = "";
    int64_t error;

    if (arguments[0] == 0)
        return spawn_thread(arguments);
    error = copy_text(name, sizeof name, arguments[0]);
    if (error == 0 && arguments[1] != 0)
        error = copy_text(argument, sizeof argument, arguments[1]);
    return error != 0 ? error : process_start(name, argument, process_current());
}

/* wait(id or 0, address of the id or 0): the status of the child that has ended */
static int64_t call_wait(const uint64_t *arguments)
{
    struct process *process = process_current();
    uint32_t ended = 0;
    int64_t status;

    if (arguments[0] > UINT32_MAX)
        return -ERROR_CHILD;
    if (arguments[1] != 0 && !space_copy_out(&process->space, arguments[1], &ended, sizeof ended))
        return -ERROR_FAULT; /* before a child is lost */
    status = process_wait(process, (uint32_t)arguments[0], &ended);
    if (status < 0 || arguments[1] == 0)
        return status;
    return space_copy_out(&process->space, arguments[1], &ended, sizeof ended) ? status
                                                                               : -ERROR_FAULT;
}

static const struct call {
    int64_t (*run)(const uint64_t *arguments);
    unsigned arguments;
} calls[] = {
#define SYSCALL(number, name, arguments) [number] = {call_##name, arguments},
#include "syscalls.def"
#undef SYSCALL
};

#define SYSCALL(number, name, arguments)                                                           \
    _Static_assert((arguments) <= ARCH_SYSCALL_ARGUMENTS, #name " has too many arguments");
#include "syscalls.def"
#undef SYSCALL

static int64_t perform(const struct trap_frame *frame)
{
    uint64_t number = arch_syscall_number(frame), arguments[ARCH_SYSCALL_ARGUMENTS] = {0};
    const struct call *call = &calls[number < sizeof calls / sizeof calls[0] ? number : 0];

    if (call->run == NULL)
        return -ERROR_NOSYS;
    for (unsigned i = 0; i < call->arguments; i++)
        arguments[i] = arch_syscall_argument(frame, i);
    return call->run(arguments);
}

/* What is in the kernel, an application for one, has no process whose calls they could be. */
static int64_t run(const struct trap *trap)
{
    int64_t result;

    if (trap->origin != TRAP_FROM_USER)
        return -ERROR_NOSYS;
    arch_interrupts_enable();
    result = perform(trap->frame);
    (void)arch_interrupts_disable();
    return result;
}

/* The number is read twice: a debugger may have put another one there. */
enum trap_verdict syscall_handle(struct trap *trap)
{
    uint64_t number;
    int64_t result;

    debugger_syscall(trap, arch_syscall_number(trap->frame), true);
    number = arch_syscall_number(trap->frame);
    flight_syscall(trap, number, arch_syscall_argument(trap->frame, 0));
    result = run(trap);
    flight_syscall_end(trap, number, result);
    arch_syscall_return(trap->frame, result);
    debugger_syscall(trap, number, false);
    (void)process_check(trap);
    return TRAP_HANDLED;
}
