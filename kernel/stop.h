/*
 * stop.h - one CPU has the machine, the others stand still: for the debugger and for a crash.
 *
 * The others are stopped by NMI, wherever they are, within a bounded time.  A stopped CPU shows the
 * frame it will go on with, and does small things for the one that has the machine: its registers
 * are only its own to read.  Takes no lock; anywhere.
 */
#ifndef KERNEL_STOP_H
#define KERNEL_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"

/* Have the machine.  False if another CPU has it. */
bool stop_take(void);

/* Before stop_take(), by a CPU that will try again if others are faster: let those be first who
 * have waited while this one had the machine stopped.  Or else one that stops again at once, at a
 * breakpoint in a short loop, never lets them have their turn.  Bounded. */
void stop_wait_turn(void);

/* Have the machine as with stop_take(); if another CPU has it, stand still with this frame until
 * that one has given it back, and say false: what this CPU came for may be no more. */
bool stop_take_or_join(struct trap_frame *frame);

/* Have it for a moment, without stopping anybody: who else wants it waits that long.  False if it
 * is had, also by this CPU already. */
bool stop_borrow(void);
void stop_return(void);

/* Does this CPU have it? */
bool stop_has(void);

/* Stop all others.  Returns when each has answered, or has had its time: one that had it in vain is
 * not waited for again, until it answers after all.  Again is as good. */
void stop_others(void);

/* How often others have been stopped so far.  Anywhere. */
unsigned stop_count(void);

/* The frame that a stopped CPU will go on with; NULL: it has not stopped. */
struct trap_frame *stop_frame(unsigned cpu);

/* Is that CPU here, or has it stopped? */
bool stop_answers(unsigned cpu);

/* Does that CPU stand still while others may run? */
bool stop_holds(unsigned cpu);

/* Let a stopped CPU go on, when the machine is given back; it runs on, or just one step. */
enum stop_order {
    STOP_RUN, /* unless ordered otherwise */
    STOP_STEP,
    STOP_HOLD,
};
void stop_order(unsigned cpu, enum stop_order order);
enum stop_order stop_ordered(unsigned cpu);

/* All do as ordered, and any CPU may take the machine.  The caller must join, if it has ordered
 * itself to hold. */
void stop_give_back(void);

/* Stand still, with this frame, if asked to, until ordered otherwise. */
void stop_join(struct trap_frame *frame);

/* Is this CPU, which is `cpu`, wanted to stand still? */
bool stop_is_asked(unsigned cpu);

/* Have a stopped CPU call function(argument); wait for it.  False if it does not answer in a
 * bounded time. */
bool stop_call(unsigned cpu, void (*function)(void *), void *argument);

/* Row of the trap table for TRAP_NMI. */
enum trap_verdict stop_handle(struct trap *trap);

#endif
