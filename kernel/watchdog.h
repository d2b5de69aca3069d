/*
 * watchdog.h - catches CPUs whose timer interrupt has not come for too long: each CPU watches the
 * next one.
 *
 * One CPU alone has nobody who watches it.
 */
#ifndef KERNEL_WATCHDOG_H
#define KERNEL_WATCHDOG_H

#include "trap/trap.h"

/* Read the option `watchdog=`. */
void watchdog_init(void);

/* This CPU has ticked: look at the next one. */
void watchdog_tick(void);

/* Row of the trap table for TRAP_NMI, behind that of stops: if it has come because this CPU does
 * not tick, make a panic of it, whose frame is the interrupted one.  What the debugger or a crash
 * has held up is let go. */
enum trap_verdict watchdog_handle(struct trap *trap);

#endif
