/*
 * compute.c - counts primes, and uses nothing of the kernel meanwhile: what preemption is for.
 *
 * The argument is how often.
 */
#include "kernel/user/library/user.h"

enum {
    LIMIT = 20000,
    PRIMES_BELOW_LIMIT = 2262,
};

static unsigned count_primes(void)
{
    static bool composite[LIMIT];
    unsigned count = 0;

    memset(composite, 0, sizeof composite);
    for (unsigned i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        count++;
        for (unsigned j = 2 * i; j < LIMIT; j += i)
            composite[j] = true;
    }
    return count;
}

int main(const char *argument)
{
    uint64_t rounds = number_of(argument);

    do
        check(count_primes() == PRIMES_BELOW_LIMIT);
    while (rounds-- > 1);
    return 0;
}
