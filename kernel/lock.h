/*
 * lock.h - spin locks: who holds them, since which call, for people who look at a kernel that
 * stands still.
 *
 * A spin lock is held with interrupts off, for a short time, never across a switch of threads;
 * never taken by the debugger or the crash path.  Locks are released in the opposite order.
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct spin_lock {
    atomic_uint holder; /* CPU + 1; 0: free */
    const char *name;   /* "heap"; never NULL */
    uint64_t site;      /* who took it: a pc */
    bool interrupts;    /* were they on before? */
};

#define SPIN_LOCK(lock_name)                                                                       \
    {                                                                                              \
        .name = (lock_name)                                                                        \
    }

/* Take it; waits for another CPU, and panics if it waits for its own. */
void spin_lock(struct spin_lock *lock);
/* The same; false, with nothing taken, once `hopeless` says while it waits that it is. */
bool spin_lock_unless(struct spin_lock *lock, bool (*hopeless)(void));
void spin_unlock(struct spin_lock *lock);

/* Does this CPU hold it? */
bool spin_is_mine(const struct spin_lock *lock);

/* How many this CPU holds. */
unsigned spin_held_count(void);

/* The n-th of the locks that `cpu` holds, outermost first; NULL past the last.  Anywhere. */
const struct spin_lock *spin_held(unsigned cpu, unsigned n);

#endif
