/*
 * stacks.h - the stacks that a CPU has for itself, whatever thread it runs: one for each slot of
 * its interrupt stack table, one for each purpose, and one to start on.
 */
#ifndef ARCH_X86_64_STACKS_H
#define ARCH_X86_64_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"

/* The first CPU's, which are part of the image: list them. */
void stacks_init(void);

/* Map and list those of another CPU, unless that is done.  False if memory is short.  Only the
 * first CPU. */
bool stacks_map(unsigned cpu);

/* Where they begin, growing down: of an IST slot (enum ist), of a purpose, of a CPU that is
 * started (not the first). */
uint64_t ist_stack_top(unsigned cpu, unsigned slot);
uint64_t purpose_stack_top(unsigned cpu, enum arch_stack_purpose purpose);
uint64_t start_stack_top(unsigned cpu);

/* Is `address` on that purpose's stack of this CPU? */
bool is_on_purpose_stack(uint64_t address, enum arch_stack_purpose purpose);

/* Is it on any stack of an IST slot or a purpose, of this CPU? */
bool is_emergency_stack(uint64_t address);

#endif
