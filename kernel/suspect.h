/*
 * suspect.h - reads what a broken kernel may have destroyed, for whoever has to tell of it.
 *
 * Anywhere; takes no lock.  A pointer that leads nowhere costs what it pointed to, no more.
 */
#ifndef KERNEL_SUSPECT_H
#define KERNEL_SUSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mutex;
struct process;
struct thread;

/* Copy a text as far as it can be read and fits, zeros behind it, one at least; "?" if nothing of
 * it can. */
void suspect_text(char *to, size_t size, const char *text);

/* Does its CPU run it?  Then that has its registers.  The thread is one of the table's. */
bool suspect_runs(const struct thread *thread);

/* Does it not run, and has a frame that can be read? */
bool suspect_parked(const struct thread *thread);

/* A thread's id; 0 if it is none of the table's, NULL for one. */
uint32_t suspect_thread_id(const struct thread *thread);

/* Who has the mutex, or NULL: nobody, or none of the table's threads. */
const struct thread *suspect_owner(const struct mutex *mutex);

/* A process' id; 0 if it cannot be read, NULL for one. */
uint32_t suspect_process_id(const struct process *process);

#endif
