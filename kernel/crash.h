/*
 * crash.h - the last row of the trap table: write a record of what happened, and stop.
 *
 * Works in stages, each of which does strictly less than the one before: a fault while a section of
 * the record is written costs that section; one elsewhere on the way leads to a minimal record, the
 * next to one line of text, and the last to a halt.  Allocates nothing, takes no lock, waits for
 * the serial line at most.
 */
#ifndef KERNEL_CRASH_H
#define KERNEL_CRASH_H

#include "trap/trap.h"

/* Read the options `crashdump=` and `oncrash=`. */
void crash_init(void);

/* Has it been called?  Anywhere. */
bool crash_has_begun(void);

/* Never returns. */
enum trap_verdict crash_handle(struct trap *trap);

/* For tests of the crash path itself: panic again while the section with this tag is written. */
void crash_inject_panic(uint32_t tag);

#endif
