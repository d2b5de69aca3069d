/*
 * crash_threads.h - the sections of a crash record that tell of CPUs, threads and locks.
 */
#ifndef KERNEL_CRASH_THREADS_H
#define KERNEL_CRASH_THREADS_H

#include "crash_sections.h"

/* CPUS, LOCK, THRD, TSTK, FLIT: each to be gathered where all other CPUs stand still. */
void crash_gather_cpus(struct crash_writer *writer, const struct crash_scene *scene);
void crash_gather_locks(struct crash_writer *writer, const struct crash_scene *scene);
void crash_gather_threads(struct crash_writer *writer, const struct crash_scene *scene);
void crash_gather_thread_stacks(struct crash_writer *writer, const struct crash_scene *scene);
void crash_gather_flight(struct crash_writer *writer, const struct crash_scene *scene);

#endif
