/*
 * traps.h - the kernel's policy for traps, installed once.
 */
#ifndef KERNEL_TRAPS_H
#define KERNEL_TRAPS_H

/* Install the trap table.  Before arch_init_traps(). */
void traps_init(void);

#endif
