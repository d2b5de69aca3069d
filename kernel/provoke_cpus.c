/*
 * provoke_cpus.c - stories of several clerks: who waits for whom, and who fails beside whom.
 */
#include <stdbool.h>
#include <stddef.h>

#include "arch/arch.h"
#include "console.h"
#include "lock.h"
#include "process.h"
#include "provoke_stories.h"
#include "schedule.h"
#include "thread.h"

static struct {
    struct parcel *volatile shelf; /* empty: NULL */
    volatile uint64_t parcel_count;
    volatile uint64_t total_weight;
} counter;

/* Wait, with interrupts off, for a parcel that only an interrupt could bring. */
STORY void provoke_spin(void)
{
    (void)arch_interrupts_disable();
    while (counter.parcel_count == 0)
        ;
}

static struct spin_lock counter_lock = SPIN_LOCK("counter"), shelf_lock = SPIN_LOCK("shelf");

/* Take the locks of the counter and the shelf, one after the other, when another clerk has come as
 * far as this one. */
static STORY void take_both(struct spin_lock *first, struct spin_lock *second)
{
    spin_lock(first);
    counter.parcel_count++;
    while (counter.parcel_count < 2)
        ;
    spin_lock(second);
    spin_unlock(second);
    spin_unlock(first);
}

static void clerk(void *argument)
{
    (void)argument;
    take_both(&shelf_lock, &counter_lock);
}

/* Two clerks, each with the lock that the other one waits for. */
STORY void provoke_deadlock(void)
{
    if (arch_cpu_count() > 1 && thread_start("clerk", clerk, NULL, THREAD_NORMAL, 1) != NULL)
        take_both(&counter_lock, &shelf_lock);
}

static STORY void weigh(void)
{
    counter.total_weight += counter.shelf->weight;
}

/* On another CPU, if there is one; else there is nobody to do it. */
static bool start_clerk(void (*work)(void *argument))
{
    return arch_cpu_count() > 1 && thread_start("clerk", work, NULL, THREAD_NORMAL, 1) != NULL;
}

static void doze(void *argument)
{
    (void)argument;
    thread_sleep_us(100000);
}

/* Somebody scribbles on the list of those who sleep: the tick that wakes the clerk reads it. */
STORY void provoke_interrupt(void)
{
    struct thread *clerk = thread_start("clerk", doze, NULL, THREAD_HIGH, 0);

    while (clerk != NULL && clerk->state != THREAD_SLEEPING)
        thread_yield();
    if (clerk != NULL)
        clerk->next_asleep = (struct thread *)(uintptr_t)0x18;
    for (;;)
        arch_pause();
}

/* The office fails with the counter locked, and the shelf, and a clerk waiting for both. */
STORY void provoke_locked(void)
{
    static struct mutex ledger = MUTEX("ledger");

    mutex_lock(&ledger);
    spin_lock(&shelf_lock);
    spin_lock(&counter_lock);
    weigh();
    OPAQUE();
}

/* A customer, who is a user program, asks to be called again later, and is struck off the books
 * meanwhile: his system call finds nobody to return to. */
STORY void provoke_system_call(void)
{
    struct thread *customer = NULL;

    if (process_start("customer", "", NULL) < 0)
        return;
    do
        customer = thread_next(customer);
    while (customer != NULL && customer->process == NULL);
    if (customer == NULL)
        return;
    spin_lock(&schedule_lock);
    while (customer->state != THREAD_WAITING) {
        spin_unlock(&schedule_lock);
        thread_yield();
        spin_lock(&schedule_lock);
    }
    customer->process = NULL;
    spin_unlock(&schedule_lock);
    (void)thread_join(customer);
}

/* The label of a parcel that is not there is read out. */
STORY void provoke_console(void)
{
    struct parcel *parcel = counter.shelf;

    console_write(parcel->addressee, sizeof parcel->addressee);
    OPAQUE();
}

/* Without a pause, in which an emulator lets another CPU have its turn. */
static void wait_for_parcels(uint64_t count)
{
    while (counter.parcel_count < count)
        ;
}

static void weigh_together(void *argument)
{
    (void)argument;
    (void)arch_interrupts_disable();
    counter.parcel_count = 1;
    wait_for_parcels(2);
    counter.parcel_count = 3;
    weigh();
}

/* Two clerks fail at the same moment. */
STORY void provoke_two_cpus(void)
{
    if (start_clerk(weigh_together)) {
        wait_for_parcels(1);
        counter.parcel_count = 2;
        wait_for_parcels(3);
    }
    weigh();
    OPAQUE();
}

static void spin(void *argument)
{
    (void)argument;
    (void)arch_interrupts_disable();
    counter.parcel_count = 1;
    for (;;)
        arch_pause();
}

/* One fails while the other is deaf to everything. */
STORY void provoke_beside_spin(void)
{
    if (start_clerk(spin))
        wait_for_parcels(1);
    weigh();
    OPAQUE();
}
