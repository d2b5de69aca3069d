/*
 * points.h - what the trap path owes the debug registers.
 */
#ifndef ARCH_X86_64_POINTS_H
#define ARCH_X86_64_POINTS_H

#include <stdbool.h>

#include "frame.h"

enum {
    POINTS_NONE = 0, /* nothing is armed */
};

/* On the way into a trap: nothing must trigger in it.  Returns what was armed. */
uint64_t points_disarm(unsigned cpu);

/* DR6 says that points were hit, on this CPU: what has changed at watched places is its doing. */
void points_note(uint64_t hits);

/* On the way out, to `frame`.  From one trap into another, `armed` is again: what points_disarm()
 * said. */
void points_arm(unsigned cpu, const struct trap_frame *frame, uint64_t armed);

/* Is any point inserted?  Is any data watched? */
bool points_exist(void);
bool points_watch(void);

/* Debug register `number` as it is while the kernel runs: addresses 0 to 3, control 7. */
uint64_t points_register(unsigned number);

#endif
