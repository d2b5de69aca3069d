/*
 * crash_guard.h - parts of the crash path that may fail, or stand still, at no cost but their own.
 */
#ifndef KERNEL_CRASH_GUARD_H
#define KERNEL_CRASH_GUARD_H

#include <stdbool.h>

#include "trap/trap.h"

/* From here to crash_guard_end() the watchdog runs for this CPU, whose crash it is. */
void crash_guard_begin(unsigned cpu);
void crash_guard_end(void);

/* Call function(argument).  False if it trapped, or made no progress for a second: then *caught
 * says how. */
bool crash_try(void (*function)(void *), void *argument, struct trap *caught);

/* There is progress: the second begins anew. */
void crash_progress(void);

/* The same, and what follows has a limit of its own, that many milliseconds: it is added. */
void crash_progress_for(unsigned ms);

/* A trap that nothing has recovered: make its frame leave the innermost crash_try().  False if
 * there is none, or too much was given up already. */
bool crash_give_up(struct trap *trap);

/* Row of the trap table, for NMIs: the watchdog's, while a record is written. */
enum trap_verdict crash_watch(struct trap *trap);

#endif
