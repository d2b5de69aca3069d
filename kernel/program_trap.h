/*
 * program_trap.h - what becomes of a program whose code traps.
 */
#ifndef KERNEL_PROGRAM_TRAP_H
#define KERNEL_PROGRAM_TRAP_H

#include "trap/trap.h"

/* Row of the trap table for page faults: memory that a program may have, but has not touched yet.
 * Declines what is no program's, or not allowed. */
enum trap_verdict program_resolve(struct trap *trap);

/* Row of the trap table, after the debugger: what else a program's code does wrong ends it, with a
 * word in the log. */
enum trap_verdict program_handle(struct trap *trap);

#endif
