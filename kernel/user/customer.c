/*
 * customer.c - sleeps, again and again, until it is waited for no longer.
 */
#include "kernel/user/library/user.h"

enum {
    NAP_US = 1000,
};

int main(const char *argument)
{
    (void)argument;
    for (;;)
        sleep_us(NAP_US);
}
