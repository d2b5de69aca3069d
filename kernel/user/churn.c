/*
 * churn.c - starts programs and waits for their ends, several at a time, in whatever order they
 * come.
 *
 * The argument is how many; one that begins with - is a child, which ends at once with the status
 * that follows.
 */
#include "kernel/user/library/user.h"

enum {
    AT_A_TIME = 4,
    DEFAULT_CHILDREN = 40,
    STATUSES = 100,
};

static long start_child(long status)
{
    char argument[] = "-00";

    argument[1] = (char)('0' + status / 10);
    argument[2] = (char)('0' + status % 10);
    return spawn("churn", argument);
}

/* Children whose statuses are in sequence; memory may be too short for some, never for all. */
static uint64_t start_and_wait(uint64_t first)
{
    long ids[AT_A_TIME], sum = 0;
    uint64_t started = 0;

    for (uint64_t i = 0; i < AT_A_TIME; i++) {
        long status = (long)((first + i) % STATUSES);

        ids[i] = start_child(status);
        check(ids[i] > 0 || ids[i] == -ERROR_NOMEM);
        sum += ids[i] > 0 ? status : 0;
        started += ids[i] > 0 ? 1 : 0;
    }
    for (uint64_t i = 0; i < started; i++) {
        uint32_t ended = 0;
        long status = wait(0, &ended);
        bool mine = false;

        for (size_t j = 0; j < AT_A_TIME; j++)
            mine |= ids[j] == ended;
        check(status >= 0 && mine);
        sum -= status;
    }
    check(sum == 0);
    check(wait(0, NULL) == -ERROR_CHILD);
    return started;
}

int main(const char *argument)
{
    uint64_t count = number_of(argument), done = 0;

    if (argument[0] == '-')
        return (int)number_of(argument + 1);
    if (count == 0)
        count = DEFAULT_CHILDREN;
    while (done < count) {
        uint64_t started = start_and_wait(done);

        if (started == 0)
            sleep_us(1000); /* the others will end */
        done += started;
    }
    return 0;
}
