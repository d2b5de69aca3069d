/*
 * step.h - what the trap path owes a single step.
 */
#ifndef ARCH_X86_64_STEP_H
#define ARCH_X86_64_STEP_H

#include "frame.h"

/* A #DB has come: undo what the step left behind in the program's memory. */
void step_clean_up(unsigned cpu, const struct trap_frame *frame);

/* This CPU goes on to something else: interrupts are held back no longer. */
void step_end(unsigned cpu);

#endif
