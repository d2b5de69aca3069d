/*
 * remap.c - threads look at a page while another changes what is behind its address: what they saw
 * before must not be what they see then.
 *
 * The argument is how many rounds.
 */
#include <stdatomic.h>

#include "kernel/user/library/user.h"

enum {
    READERS = 2,
    PAGE = 4096,
    SPINS = 100000,
    DEFAULT_ROUNDS = 20,
};

static struct {
    _Atomic uint64_t *page;  /* always at the same address */
    atomic_uint step;        /* goes up when what is behind the page has changed */
    atomic_uint seen;        /* readers that have looked since */
    _Atomic uint64_t expect; /* what is in it */
    uint64_t steps;
    atomic_uint running;
} shared;

/* Rarely gives way: whoever runs in between might make the CPU forget what it must be told to. */
static void wait_for(atomic_uint *counter, unsigned at_least)
{
    for (unsigned spins = 1; atomic_load(counter) < at_least; spins++) {
        if (spins % SPINS == 0)
            yield();
    }
}

static void look_in_each_step(void *argument)
{
    (void)argument;
    for (unsigned step = 1; step <= shared.steps; step++) {
        wait_for(&shared.step, step);
        check(atomic_load(shared.page) == atomic_load(&shared.expect));
        atomic_fetch_add(&shared.seen, 1);
    }
    atomic_fetch_sub(&shared.running, 1);
}

/* What is behind the page has changed: have all look. */
static void show(uint64_t expect)
{
    atomic_store(&shared.expect, expect);
    atomic_store(&shared.seen, 0);
    atomic_fetch_add(&shared.step, 1);
    wait_for(&shared.seen, READERS);
}

/* The page of zeros that all share, then one of its own, then nothing, then zeros again. */
static void change(uint64_t round)
{
    check(map((void *)shared.page, PAGE, MAP_READ | MAP_WRITE) == (void *)shared.page);
    show(0);
    atomic_store(shared.page, round);
    show(round);
    check(map((void *)shared.page, PAGE, MAP_NOTHING) == NULL);
}

int main(const char *argument)
{
    enum { STEPS_PER_ROUND = 2 };
    uint64_t rounds = number_of(argument);

    if (rounds == 0)
        rounds = DEFAULT_ROUNDS;
    shared.steps = rounds * STEPS_PER_ROUND;
    atomic_store(&shared.running, READERS);
    for (unsigned i = 0; i < READERS; i++)
        check(!is_error(spawn_thread(look_in_each_step, NULL)));
    shared.page = map(NULL, PAGE, MAP_READ | MAP_WRITE); /* the room that stacks have left */
    check(!is_error((long)shared.page));
    check(map((void *)shared.page, PAGE, MAP_NOTHING) == NULL);
    for (uint64_t round = 1; round <= rounds; round++)
        change(round);
    while (atomic_load(&shared.running) != 0)
        yield();
    return 0;
}
