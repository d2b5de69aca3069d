/*
 * conditions.c - a program whose breakpoints have conditions: one function that is called often,
 * with everything that a condition may look at, and one of every kind of instruction.
 */
#include "tests/qemu/print.h"

#define KEEP __attribute__((noinline, noclone))

enum {
    CALLS = 1001,
};

struct item {
    char tag;
    unsigned char level;
    short delta;
    unsigned short port;
    int count;
    struct item *next;
    const char *name;
    unsigned long long big;
};

struct item second = {'b', 250, -7, 65000, 5, 0, "second", 0xfedcba9876543210ull};
struct item first = {'a', 3, 9, 80, -4, &second, "first", 1};
volatile int total;
volatile unsigned rounds = 1;

KEEP int hot(int i, struct item *item)
{
    int twice = 2 * i;

    total += i; /* HOT */
    return item->count + twice;
}

/* Called once, when all is done. */
KEEP void done(void)
{
    print("total ");
    print_number((unsigned long)total);
    print("\n");
}

int main(void)
{
    for (unsigned round = 0; round < rounds; round++) {
        total = 0;
        for (int i = 0; i < CALLS; i++)
            hot(i, i % 2 != 0 ? &first : &second);
    }
    done();
    return 5;
}
