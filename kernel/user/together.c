/*
 * together.c - runs all programs that check themselves, at once; each has to be content.
 *
 * The argument is how many rounds.
 */
#include "kernel/user/library/user.h"

static const struct {
    const char *name, *argument;
} programs[] = {
    {"attack", ""},    {"calls", "400"},  {"churn", "24"}, {"compute", "4"},
    {"floats", "200"}, {"floats", "200"}, {"share", "3"},  {"share", "3"},
};

enum {
    PROGRAMS = sizeof programs / sizeof programs[0],
};

static void run_all(void)
{
    long ids[PROGRAMS], status;

    for (size_t i = 0; i < PROGRAMS; i++)
        ids[i] = spawn(programs[i].name, programs[i].argument);
    for (size_t i = 0; i < PROGRAMS; i++) {
        check(!is_error(ids[i]));
        status = wait(ids[i], NULL);
        if (status != 0)
            print("together: %s ended with status %ld\n", programs[i].name, status);
        check(status == 0);
    }
}

int main(const char *argument)
{
    uint64_t rounds = number_of(argument);

    do
        run_all();
    while (rounds-- > 1);
    return 0;
}
