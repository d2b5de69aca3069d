/*
 * cpus_check.h - run=cpus: do all CPUs tick, hear each other, and stand on stacks of their own?
 */
#ifndef KERNEL_CPUS_CHECK_H
#define KERNEL_CPUS_CHECK_H

#include "trap/trap.h"

/* Check them, report, and end the program if something is wrong. */
void cpus_check_run(const char *argument);

/* A row of the trap table: counts interrupts, and takes the NMIs that the check has sent. */
enum trap_verdict cpus_check_handle(struct trap *trap);

#endif
