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

#endif
