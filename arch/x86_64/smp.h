/*
 * smp.h - starting the other CPUs: what C and ap_start.asm tell each other.
 */
#ifndef ARCH_X86_64_SMP_H
#define ARCH_X86_64_SMP_H

#include <stdint.h>

#include "acpi.h"

/* What a CPU that starts needs to become like the first one. */
struct ap_start {
    uint64_t cr0, cr4, efer;
    uint64_t root;      /* of the kernel's page tables */
    uint64_t stack_top; /* its own */
    uint64_t cpu;       /* its number */
};
extern struct ap_start ap_start;

/* ap_start.asm: copied to a page below 1 MiB, where CPUs begin in real mode. */
enum ap_trampoline_size {
    AP_TRAMPOLINE_BYTES = 64,
};
extern const uint8_t ap_trampoline[AP_TRAMPOLINE_BYTES];

/* Where ap_start.asm enters C, on the stack and with the page tables of struct ap_start. */
_Noreturn void smp_enter(unsigned cpu);

/* What a CPU's local APIC is called. */
uint32_t smp_apic_id(unsigned cpu);

/* Remember which CPUs there are; by the first one. */
void smp_init(const struct acpi_madt *madt);

#endif
