/*
 * io_apic.h - the IOAPICs: which CPU a device's line interrupts, and how.
 */
#ifndef ARCH_X86_64_IO_APIC_H
#define ARCH_X86_64_IO_APIC_H

#include <stdbool.h>
#include <stdint.h>

#include "acpi.h"

enum io_apic_routes {
    IO_APIC_NMI = 4 << 8, /* instead of a vector; at the rising edge */
    IO_APIC_ALL_CPUS = 0xff,
};

/* Mask every line of the machine's IOAPICs. */
void io_apic_init(const struct acpi_madt *madt);

/* Deliver ISA interrupt `irq` (0..15) as `delivery`, a vector or IO_APIC_NMI, to the local APIC
 * `destination`.  False if there is no such line, or the destination is out of reach.  Anywhere,
 * but by one CPU at a time. */
bool io_apic_route(unsigned irq, uint32_t destination, uint32_t delivery);

#endif
