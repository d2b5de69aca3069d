/*
 * flight.h - the flight recorder: each CPU's last traps, switches of threads and system calls.
 *
 * A ring per CPU, written by that CPU alone, without a lock: what interrupts the writer takes the
 * next place.
 */
#ifndef KERNEL_FLIGHT_H
#define KERNEL_FLIGHT_H

#include "arch/arch.h"
#include "thread.h"

enum flight_limits {
    FLIGHT_EVENTS = 64, /* of each CPU */
};

/* Row of the trap table: note the trap, and decline it. */
enum trap_verdict flight_trap(struct trap *trap);

void flight_switch(const struct thread *from, const struct thread *to);
void flight_syscall(const struct trap *trap, uint64_t number, uint64_t argument);
void flight_syscall_end(const struct trap *trap, uint64_t number, int64_t result);

/* How many are kept of `cpu`; the n-th of them, oldest first: false past the last.  Anywhere. */
unsigned flight_count(unsigned cpu);
bool flight_read(unsigned cpu, unsigned n, struct crash_event *event);

#endif
