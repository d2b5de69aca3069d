/*
 * hungry.c - a child takes all memory that there is; this program sees it end, twice.
 */
#include "kernel/user/library/user.h"

enum {
    MEAL_BYTES = 16 << 20,
    PAGE = 4096,
    STATUS_NO_MEMORY = 128 + 9, /* kernel/program_trap.c */
};

static void eat(void)
{
    char *meal;

    while (!is_error((long)(meal = map(NULL, MEAL_BYTES, MAP_READ | MAP_WRITE)))) {
        for (size_t i = 0; i < MEAL_BYTES; i += PAGE)
            meal[i] = 1;
    }
}

int main(const char *argument)
{
    if (argument[0] != '\0')
        eat();
    else
        for (unsigned i = 0; i < 2; i++)
            check(wait(spawn("hungry", "eat"), NULL) == STATUS_NO_MEMORY);
    return 0;
}
