/*
 * share.c - threads that touch the same pages for the first time at once: each write has to stay,
 * and each has to be seen by all.
 *
 * The argument is how many rounds.
 */
#include <stdatomic.h>

#include "kernel/user/library/user.h"

enum {
    THREADS = 4,
    PAGES = 8,
    PAGE_WORDS = 4096 / sizeof(uint64_t),
    DEFAULT_ROUNDS = 10,
};

static struct {
    _Atomic uint64_t (*pages)[PAGE_WORDS]; /* zeros, new in each round */
    uint64_t rounds;
    atomic_uint arrived, round; /* of the barrier */
    atomic_uint running;
    atomic_uint ids;
} shared;

/* Written for the first time by all at once. */
static _Atomic uint64_t initialised[PAGES][PAGE_WORDS] = {[0] = {[PAGE_WORDS - 1] = 5}};

static void wait_for_all(void)
{
    unsigned round = atomic_load(&shared.round);

    if (atomic_fetch_add(&shared.arrived, 1) + 1 == THREADS) {
        atomic_store(&shared.arrived, 0);
        atomic_fetch_add(&shared.round, 1);
    }
    while (atomic_load(&shared.round) == round)
        yield();
}

/* All have read the even pages when one of them writes: what the others have read must not stay. */
static void write_what_all_have_read(_Atomic uint64_t (*pages)[PAGE_WORDS], unsigned me)
{
    for (unsigned i = 0; i < PAGES; i += 2)
        check(atomic_load(&pages[i][THREADS + 1]) == 0);
    wait_for_all();
    for (unsigned i = 0; i < PAGES; i += 2) {
        if (i / 2 % THREADS == me)
            atomic_store(&pages[i][THREADS + 1], i + 1);
    }
    wait_for_all();
    for (unsigned i = 0; i < PAGES; i += 2)
        check(atomic_load(&pages[i][THREADS + 1]) == i + 1);
}

/* Each thread begins with another page, reads, writes its own word, and adds to one of all. */
static void touch(_Atomic uint64_t (*pages)[PAGE_WORDS], unsigned me)
{
    for (unsigned i = 0; i < PAGES; i++) {
        _Atomic uint64_t *page = pages[(i + me) % PAGES];

        check(atomic_load(&page[me + 1]) == 0);
        atomic_store(&page[me + 1], me + 1);
        atomic_fetch_add(&page[0], 1);
    }
}

static void check_pages(_Atomic uint64_t (*pages)[PAGE_WORDS])
{
    for (unsigned i = 0; i < PAGES; i++) {
        check(atomic_load(&pages[i][0]) == THREADS);
        for (unsigned other = 0; other < THREADS; other++)
            check(atomic_load(&pages[i][other + 1]) == other + 1);
    }
}

static void run(void *argument)
{
    unsigned me = atomic_fetch_add(&shared.ids, 1);

    (void)argument;
    wait_for_all();
    write_what_all_have_read(initialised, me);
    touch(initialised, me);
    wait_for_all();
    check_pages(initialised);
    check(atomic_load(&initialised[0][PAGE_WORDS - 1]) == 5);
    for (uint64_t round = 0; round < shared.rounds; round++) {
        wait_for_all();
        if (me == 0)
            shared.pages = map(NULL, PAGES * sizeof *shared.pages, MAP_READ | MAP_WRITE);
        wait_for_all();
        write_what_all_have_read(shared.pages, me);
        touch(shared.pages, me);
        wait_for_all();
        check_pages(shared.pages);
        wait_for_all();
        if (me == 0)
            check(map(shared.pages, PAGES * sizeof *shared.pages, MAP_NOTHING) == NULL);
    }
    atomic_fetch_sub(&shared.running, 1);
}

int main(const char *argument)
{
    shared.rounds = number_of(argument);
    if (shared.rounds == 0)
        shared.rounds = DEFAULT_ROUNDS;
    atomic_store(&shared.running, THREADS);
    for (unsigned i = 1; i < THREADS; i++)
        check(!is_error(spawn_thread(run, NULL)));
    run(NULL);
    while (atomic_load(&shared.running) != 0)
        yield();
    return 0;
}
