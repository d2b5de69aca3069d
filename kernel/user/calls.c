/*
 * calls.c - system calls in random order, by both ways, whose results it knows.
 *
 * The argument is how many.
 */
#include "kernel/user/library/user.h"

enum {
    DEFAULT_CALLS = 2000,
    PAGE = 4096,
};

static long thread_id;

static void call_gettid(uint64_t random)
{
    (void)random;
    check(get_thread_id() == thread_id);
}

static void call_clock(uint64_t random)
{
    uint64_t before = clock_us();

    (void)random;
    check(clock_us() >= before);
}

static void call_sleep(uint64_t random)
{
    uint64_t us = random % 300, before = clock_us();

    sleep_us(us);
    check(clock_us() - before >= us);
}

static void call_yield(uint64_t random)
{
    (void)random;
    yield();
}

static void call_write(uint64_t random)
{
    check(write(OUTPUT, "", 0) == 0);
    check(write(OUTPUT, (const void *)(random | 1ul << 63), 1) == -ERROR_FAULT);
    check(write((long)(3 + random % 100), "", 0) == -ERROR_INVAL);
}

static void call_map(uint64_t random)
{
    size_t pages = 1 + random % 8;
    volatile uint64_t *words = map(NULL, pages * PAGE, MAP_READ | MAP_WRITE);
    size_t i = random % (pages * PAGE / sizeof *words);

    check(!is_error((long)words));
    check(words[i] == 0);
    words[i] = random;
    check(words[i] == random);
    check(map((void *)words, pages * PAGE, MAP_NOTHING) == NULL);
}

static void call_wrong(uint64_t random)
{
    check(system_call((long)(100 + random % 1000), 0, 0, 0, 0) == -ERROR_NOSYS);
    check(system_call(-(long)(random % 1000), 0, 0, 0, 0) == -ERROR_NOSYS);
    check(wait((long)(1ul << 31 | random), NULL) == -ERROR_CHILD);
    check(spawn("no-such-program", NULL) == -ERROR_NOENT);
}

static void (*const calls[])(uint64_t random) = {
    call_gettid, call_clock, call_sleep, call_yield, call_write, call_map, call_wrong,
};

int main(const char *argument)
{
    uint64_t count = number_of(argument), state;

    thread_id = get_thread_id();
    state = clock_us() + (uint64_t)thread_id + 1;
    if (count == 0)
        count = DEFAULT_CALLS;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t random = next_random(&state);

        system_call = random >> 62 != 0 ? call_by_syscall : call_by_interrupt;
        calls[(random >> 32) % (sizeof calls / sizeof calls[0])](random & 0xffffffff);
    }
    return 0;
}
