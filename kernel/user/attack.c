/*
 * attack.c - runs every case of faults.def in a program of its own, and says which of them did not
 * end as they have to.
 */
#include "faults.h"

#include "kernel/user/library/user.h"

static const struct attempt {
    const char *name, *what;
    long end;
} attempts[] = {
#define PRIVILEGED(name, instructions) {#name, instructions, MEMORY},
#define FAULT(name, end, what)         {#name, what, end},
#include "faults.def"
#undef PRIVILEGED
#undef FAULT
};

static bool is_as_expected(long end, long status)
{
    if (end == INSTRUCTION_OR_MEMORY)
        return status == INSTRUCTION || status == MEMORY;
    if (end == MEMORY_IF_UMIP)
        return status == MEMORY || status == SKIPPED;
    if (end == ARITHMETIC_IF_RAISED)
        return status == ARITHMETIC || status == SKIPPED;
    return status == end;
}

static long run(const char *name)
{
    uint32_t ended = 0;
    long id = spawn("faults", name), status;

    if (is_error(id))
        return id;
    status = wait(id, &ended);
    return status < 0 || ended == id ? status : -1;
}

int main(const char *argument)
{
    unsigned survived = 0, killed = 0, wrong = 0;

    (void)argument;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        long status = run(attempts[i].name);

        if (!is_as_expected(attempts[i].end, status)) {
            print("WRONG: %s (%s): status %ld, not %ld\n", attempts[i].name, attempts[i].what,
                  status, attempts[i].end);
            wrong++;
        } else if (status == NOTHING || status == SKIPPED) {
            survived++;
        } else {
            killed++;
        }
    }
    print("attack: %u survived, %u killed alone, %u wrong\n", survived, killed, wrong);
    return wrong == 0 ? 0 : 1;
}
