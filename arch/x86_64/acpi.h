/*
 * acpi.h - which processors, interrupt controllers and serial console ACPI's tables name.
 */
#ifndef ARCH_X86_64_ACPI_H
#define ARCH_X86_64_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "physical.h"

enum acpi_limits {
    ACPI_IO_APICS = 8,
    ACPI_ISA_IRQS = 16,
    ACPI_CPUS = 64,      /* more than are ever started: some may not answer */
    ACPI_SPCR_PORTS = 8, /* of a UART */
};

/* The multiple APIC description table, as far as the kernel reads it. */
struct acpi_madt {
    struct acpi_io_apic {
        uint64_t address;   /* physical */
        uint32_t first_gsi; /* the global number of its first input */
    } io_apics[ACPI_IO_APICS];
    size_t io_apic_count;
    struct acpi_isa_irq {
        uint32_t gsi;
        bool active_low;
        bool level;
    } isa_irqs[ACPI_ISA_IRQS];
    uint32_t
        cpus[ACPI_CPUS]; /* numbers of the local APICs of those that are enabled, no two alike */
    size_t cpu_count;
};

/* Read the MADT; `rsdp` is the physical address of the root pointer, 0: search it where a BIOS
 * leaves it.  False if there is none whose checksums hold. */
bool acpi_read_madt(const struct physical_memory *memory, uint64_t rsdp, struct acpi_madt *madt);

/* The serial port console redirection table: the UART on which the firmware itself is, if it is a
 * 16550 at ports. */
struct acpi_spcr {
    uint16_t port;
    uint8_t irq;    /* on the ISA bus; 0: none */
    unsigned speed; /* bits a second; 0: as the firmware has left it */
};
bool acpi_read_spcr(const struct physical_memory *memory, uint64_t rsdp, struct acpi_spcr *spcr);

#endif
