/*
 * pit.h - the 8254 interval timer (Intel 8254 data sheet).
 */
#ifndef ARCH_X86_64_PIT_H
#define ARCH_X86_64_PIT_H

enum pit_numbers {
    PIT_HZ = 1193182,
    PIT_COMMAND = 0x43, /* port */
};

/* Raise line 0 `hz` times a second (not 0), or at the nearest rate that there is. */
void pit_start(unsigned hz);

#endif
