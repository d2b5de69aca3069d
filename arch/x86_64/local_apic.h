/*
 * local_apic.h - the interrupt controller in each CPU: what the rest of arch/x86_64 asks of it.
 */
#ifndef ARCH_X86_64_LOCAL_APIC_H
#define ARCH_X86_64_LOCAL_APIC_H

#include <stdbool.h>
#include <stdint.h>

/* What one CPU can send to another (SDM 3A, figure 11-12); a vector alone is an interrupt. */
enum local_apic_messages {
    LOCAL_APIC_NMI = 4 << 8,
    LOCAL_APIC_INIT = 5 << 8,
    LOCAL_APIC_STARTUP = 6 << 8, /* | the number of the page to begin at */
};

/* The first CPU's: find it, enable it, measure its timer.  False if there is none. */
bool local_apic_init(void);

/* Every other CPU's, by itself. */
void local_apic_init_cpu(void);

bool local_apic_is_present(void);

/* This CPU's, as ACPI's tables call it; whether or not it is initialised.  Anywhere. */
uint32_t local_apic_id(void);

/* Can messages be sent to that one?  Not to large numbers, unless the firmware chose x2APIC. */
bool local_apic_can_reach(uint32_t id);

/* Send; waits for a bounded time until it is accepted.  Anywhere, also in an NMI in the middle of
 * itself. */
void local_apic_send(uint32_t id, uint32_t message);

/* The interrupt of that vector has been taken care of, if there was one. */
void local_apic_done(uint32_t vector);

/* Raise `vector` on this CPU, `hz` times a second (not 0).  False if the timer does not count. */
bool local_apic_start_timer(unsigned hz, uint8_t vector);

#endif
