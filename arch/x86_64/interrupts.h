/*
 * interrupts.h - the vectors of interrupts.def, and their names.
 */
#ifndef ARCH_X86_64_INTERRUPTS_H
#define ARCH_X86_64_INTERRUPTS_H

#include <stdint.h>

enum interrupt_vectors {
#define INTERRUPT(number, id, source, name) VECTOR_##id = (number),
#include "interrupts.def"
#undef INTERRUPT
};

/* "timer", "device line 4"; "interrupt" for a vector that nobody uses. */
const char *interrupt_name(uint32_t vector);

#endif
