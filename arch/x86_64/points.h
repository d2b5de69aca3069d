/*
 * points.h - what the trap path owes the debug registers.
 */
#ifndef ARCH_X86_64_POINTS_H
#define ARCH_X86_64_POINTS_H

#include <stdbool.h>

#include "frame.h"

/* On the way into a trap: nothing must trigger in it. */
void points_disarm(void);

/* On the way out, to `frame`. */
void points_arm(struct trap_frame *frame);

/* Is any data watched? */
bool points_watch(void);

/* Debug register `number` as it is while the kernel runs: addresses 0 to 3, control 7. */
uint64_t points_register(unsigned number);

#endif
