/*
 * start.c - where a program and its threads begin, and backtraces end: on a stack whose pointer is
 * a multiple of 16, with the argument in the first register.
 */
#include "user.h"

/* A call of `function`, whose result is the status, from where there is no caller. */
#define FIRST_FRAME(name, function)                                                                \
    __asm__(".globl " #name "\n"                                                                   \
            ".type " #name ", @function\n" #name ":\n"                                             \
            "    .cfi_startproc\n"                                                                 \
            "    .cfi_undefined rip\n"                                                             \
            "    xorl %ebp, %ebp\n"                                                                \
            "    call " #function "\n"                                                             \
            "    movl %eax, %edi\n"                                                                \
            "    call exit\n"                                                                      \
            "    .cfi_endproc\n"                                                                   \
            ".size " #name ", . - " #name "\n")

FIRST_FRAME(_start, main);
FIRST_FRAME(thread_start, run_thread);
void thread_start(void);
int run_thread(const void *stack_top);

enum {
    THREAD_STACK_BYTES = 64 * 1024,
};

/* At the top of a thread's stack. */
struct start {
    void (*function)(void *argument);
    void *argument;
};
_Static_assert(sizeof(struct start) % 16 == 0, "the stack stays aligned");

int run_thread(const void *stack_top)
{
    const struct start *start = stack_top;

    start->function(start->argument);
    return 0;
}

long spawn_thread(void (*function)(void *argument), void *argument)
{
    char *stack = map(NULL, THREAD_STACK_BYTES, MAP_READ | MAP_WRITE);
    struct start *start = (struct start *)(void *)(stack + THREAD_STACK_BYTES) - 1;

    if (is_error((long)stack))
        return (long)stack;
    *start = (struct start){function, argument};
    return system_call(CALL_spawn, 0, (long)start, (long)thread_start, (long)start);
}
