/*
 * cpus.h - the CPUs as the kernel sees them: starting them, and what they ask of each other.
 */
#ifndef KERNEL_CPUS_H
#define KERNEL_CPUS_H

#include <stdint.h>

/* Start the others: as many as smp= allows.  After threads_init(). */
void cpus_init(void);

/* Translations of `address` in `space` have changed: returns when no CPU uses the old ones. Holding
 * no spin lock; before threads_init() only this CPU is told. */
void cpus_flush_page(uint64_t space, uint64_t address);

/* The same of any addresses in the user's half of `space`. */
void cpus_flush_space(uint64_t space);

/* Do what another CPU asks of this one by these two, if one does.  Interrupts off. */
void cpus_serve_flush(void);

#endif
