/*
 * hello.c - says hello by both ways into the kernel, and that they give the same results.
 */
#include "kernel/user/library/user.h"

/* 0 if all of it was written. */
static __attribute__((noinline)) long say_hello(const char *line)
{
    size_t len = strlen(line);

    return write(OUTPUT, line, len) - (long)len;
}

/* Calls whose results do not depend on when they are made. */
static const struct request {
    long number, a, b, c, d;
} requests[] = {
    {CALL_gettid, 0, 0, 0, 0}, {CALL_yield, 0, 0, 0, 0},
    {CALL_sleep, 1, 0, 0, 0},  {CALL_write, OUTPUT, 0, 1, 0},
    {CALL_write, 7, 0, 0, 0},  {CALL_map, 0, 0, MAP_READ, 0},
    {CALL_map, 0, 4096, 4, 0}, {CALL_spawn, 1, 0, 0, 0},
    {CALL_wait, 0, 0, 0, 0},   {0, 0, 0, 0, 0},
    {-1, 0, 0, 0, 0},          {1l << 32 | CALL_gettid, 0, 0, 0, 0},
};

static bool are_equal(const struct request *request)
{
    long by_interrupt =
        call_by_interrupt(request->number, request->a, request->b, request->c, request->d);
    long by_syscall =
        call_by_syscall(request->number, request->a, request->b, request->c, request->d);

    if (by_interrupt != by_syscall)
        print("call %ld: %ld by int 0x80, %ld by SYSCALL\n", request->number, by_interrupt,
              by_syscall);
    return by_interrupt == by_syscall;
}

int main(const char *argument)
{
    bool equal = true;

    system_call = call_by_interrupt;
    check(say_hello("hello by int 0x80\n") == 0);
    system_call = call_by_syscall;
    check(say_hello("hello by SYSCALL\n") == 0);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        equal &= are_equal(&requests[i]);
    if (equal)
        print("the results are equal\n");
    if (argument[0] != '\0')
        print("argument: %s\n", argument);
    return equal ? (int)number_of(argument) : 1;
}
