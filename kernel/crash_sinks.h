/*
 * crash_sinks.h - where crash records go: memory that outlives a reset, a disk, the console's line;
 * in this order, the safest first.
 *
 * Each may fail, or stand still, without hurting the others.  Takes no lock; waits for a bounded
 * time at most.
 */
#ifndef KERNEL_CRASH_SINKS_H
#define KERNEL_CRASH_SINKS_H

#include "crash_sections.h"

/* Which sinks there are, as crashdump= says; then announce and send again what memory has kept of
 * earlier boots.  After arch_init_interrupts(); before that, a crash goes to memory and console. */
void crash_sinks_init(void);

/* Forget what has been written: the kernel has gone on, and will have other records. */
void crash_sinks_renew(void);

/* Write the record to all sinks that have none of this crash yet: the full one, or only what is
 * known to work.  `before_serial` is called before the console's line is used. */
void crash_sinks_write(struct crash_scene *scene, bool minimal, void (*before_serial)(void));

/* Say on the console where the record is. */
void crash_sinks_report(void);

#endif
