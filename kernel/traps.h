/*
 * traps.h - the kernel's policy for traps, installed once.
 */
#ifndef KERNEL_TRAPS_H
#define KERNEL_TRAPS_H

#include <stdint.h>

enum traps_limits {
    TRAPS_VECTORS = 257, /* the hardware's, and a panic's */
};

/* Install the trap table.  Before arch_init_traps(). */
void traps_init(void);

/* How often a vector has come; copies that faulted are counted, too. */
uint64_t traps_counted(unsigned vector);

#endif
