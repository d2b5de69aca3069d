/*
 * crash.h - the last row of the trap table: write a record of what happened, and stop.
 *
 * Works in stages, each of which does strictly less than the one before: a fault while a section of
 * the record is written costs that section; one in a sink leads to a minimal record there; one that
 * nothing can be recovered from, to minimal records wherever there is none yet; the next to one
 * line of text, and the last to a halt.  Allocates nothing, takes no lock, and gives up what stands
 * still for a second.
 */
#ifndef KERNEL_CRASH_H
#define KERNEL_CRASH_H

#include "trap/trap.h"

/* Read the option `oncrash=`. */
void crash_init(void);

/* Has it been called?  Anywhere. */
bool crash_has_begun(void);

/* Row of the trap table, the last.  Never returns, unless the record that is being written goes on
 * without the part that has failed. */
enum trap_verdict crash_handle(struct trap *trap);

/* Write a record of the kernel as `frame` has it, and go on: nothing has crashed.  For a debugger,
 * while everything stands still. */
void crash_snapshot(struct trap_frame *frame);

#endif
