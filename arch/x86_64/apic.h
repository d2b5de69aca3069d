/*
 * apic.h - interrupt controllers: what the rest of arch/x86_64 asks of them.
 */
#ifndef ARCH_X86_64_APIC_H
#define ARCH_X86_64_APIC_H

#include <stdbool.h>

enum apic_vectors {
    PIC_VECTOR = 0x20, /* 16 vectors; nothing arrives there but a spurious interrupt */
    APIC_SPURIOUS_VECTOR = 0xff,
};

/* Deliver ISA interrupt `irq` (0..15) to this CPU as NMI, at its rising edge.  False if the machine
 * cannot; anywhere. */
bool apic_route_nmi(unsigned irq);

#endif
