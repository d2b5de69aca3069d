/*
 * pit.c - ticks from the interval timer's channel 0, where no better timer is.
 */
#include "pit.h"

#include "instructions.h"

enum pit_channel_0 {
    CHANNEL_0 = 0x40,
    CHANNEL_0_RATE = 0x34, /* both bytes, mode 2: an edge each time the count is over */
    LONGEST = 0x10000,     /* written as 0 */
    SHORTEST = 2,
};

void pit_start(unsigned hz)
{
    unsigned count = PIT_HZ / hz;

    if (count > LONGEST)
        count = LONGEST;
    if (count < SHORTEST)
        count = SHORTEST;
    outb(PIT_COMMAND, CHANNEL_0_RATE);
    outb(CHANNEL_0, count & 0xff);
    outb(CHANNEL_0, count >> 8 & 0xff);
}
