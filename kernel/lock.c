/*
 * lock.c - spin locks, and each CPU's list of those it holds.
 */
#include "lock.h"

#include <stddef.h>

#include "arch/arch.h"
#include "cpus.h"
#include "panic.h"

enum {
    HELD = 8, /* locks that one CPU may hold at a time */
};

static struct {
    const struct spin_lock *locks[HELD];
    atomic_uint count;
} held[ARCH_CPUS];

/* Wait for it, but not if `hopeless` says so.  Interrupts are off. */
static bool take(struct spin_lock *lock, unsigned holder, bool (*hopeless)(void))
{
    unsigned free = 0;

    while (!atomic_compare_exchange_weak(&lock->holder, &free, holder)) {
        free = 0;
        if (hopeless != NULL && hopeless())
            return false;
        cpus_serve_flush(); /* whoever has the lock may be waiting for that */
        arch_pause();
    }
    return true;
}

static bool acquire(struct spin_lock *lock, const void *site, bool (*hopeless)(void))
{
    bool interrupts = arch_interrupts_disable();
    unsigned cpu = arch_cpu_id();
    unsigned depth = atomic_load(&held[cpu].count);

    if (spin_is_mine(lock))
        panic("spin lock \"%s\" is taken a second time, first at pc 0x%lx", lock->name, lock->site);
    if (depth == HELD)
        panic("spin lock \"%s\" would be the CPU's %u-th", lock->name, depth + 1);
    bool taken = take(lock, cpu + 1, hopeless);
    if (taken) {
        lock->site = (uint64_t)(uintptr_t)site;
        lock->interrupts = interrupts;
        held[cpu].locks[depth] = lock;
        atomic_store(&held[cpu].count, depth + 1);
    } else if (interrupts) {
        arch_interrupts_enable();
    }
    return taken;
}

void spin_lock(struct spin_lock *lock)
{
    (void)acquire(lock, __builtin_return_address(0), NULL);
}

bool spin_lock_unless(struct spin_lock *lock, bool (*hopeless)(void))
{
    return acquire(lock, __builtin_return_address(0), hopeless);
}

void spin_unlock(struct spin_lock *lock)
{
    unsigned cpu = arch_cpu_id();
    bool interrupts = lock->interrupts;

    if (!spin_is_mine(lock) || held[cpu].locks[atomic_load(&held[cpu].count) - 1] != lock)
        panic("spin lock \"%s\" is not the last that this CPU took", lock->name);
    atomic_fetch_sub(&held[cpu].count, 1);
    atomic_store(&lock->holder, 0);
    if (interrupts)
        arch_interrupts_enable();
}

bool spin_is_mine(const struct spin_lock *lock)
{
    return atomic_load(&lock->holder) == arch_cpu_id() + 1;
}

unsigned spin_held_count(void)
{
    return atomic_load(&held[arch_cpu_id()].count);
}

const struct spin_lock *spin_held(unsigned cpu, unsigned n)
{
    return n < atomic_load(&held[cpu].count) ? held[cpu].locks[n] : NULL;
}
