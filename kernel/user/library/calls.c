/*
 * calls.c - the system calls, by int 0x80 or SYSCALL: the number in rax, arguments in rdi, rsi, rdx
 * and r10, the result in rax.  SYSCALL takes rcx and r11 for itself; nothing else changes.
 */
#include "user.h"

long call_by_interrupt(long number, long a, long b, long c, long d)
{
    register long fourth __asm__("r10") = d;

    __asm__ volatile("int $0x80" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(fourth) : "memory");
    return number;
}

long call_by_syscall(long number, long a, long b, long c, long d)
{
    register long fourth __asm__("r10") = d;

    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return number;
}

long (*system_call)(long number, long a, long b, long c, long d) = call_by_syscall;

long write(long file, const void *bytes, size_t len)
{
    return system_call(CALL_write, file, (long)bytes, (long)len, 0);
}

_Noreturn void exit(int status)
{
    (void)system_call(CALL_exit, status, 0, 0, 0);
    __builtin_trap();
}

void yield(void)
{
    (void)system_call(CALL_yield, 0, 0, 0, 0);
}

void sleep_us(uint64_t us)
{
    (void)system_call(CALL_sleep, (long)us, 0, 0, 0);
}

long get_thread_id(void)
{
    return system_call(CALL_gettid, 0, 0, 0, 0);
}

uint64_t clock_us(void)
{
    return (uint64_t)system_call(CALL_clock, 0, 0, 0, 0);
}

void *map(void *address, size_t len, unsigned permissions)
{
    return (void *)system_call(CALL_map, (long)address, (long)len, permissions, 0);
}

long spawn(const char *name, const char *argument)
{
    return system_call(CALL_spawn, (long)name, (long)argument, 0, 0);
}

long wait(long id, uint32_t *ended)
{
    return system_call(CALL_wait, id, (long)ended, 0, 0);
}
