/*
 * provoke.h - failures that C cannot express, for kernel/provoke.c.
 */
#ifndef ARCH_PROVOKE_H
#define ARCH_PROVOKE_H

/* Load a segment register with a selector beyond its table. */
void arch_provoke_bad_selector(void);

/* Write a value with reserved bits to a model-specific register. */
void arch_provoke_bad_register(void);

/* Push with a stack pointer to memory that is not there.  Never returns. */
void arch_provoke_lost_stack(void);

/* Raise a machine check, by software. */
void arch_provoke_machine_check(void);

/* Destroy a GS base; the interrupt descriptor of page faults; the kernel's view of physical memory
 * in the current page tables. */
void arch_provoke_lost_gs(void);
void arch_provoke_lost_gate(void);
void arch_provoke_lost_tables(void);

/* Raise an NMI that nobody expects, by software. */
void arch_provoke_nmi(void);

#endif
