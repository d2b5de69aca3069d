/*
 * acpi.c - reads ACPI's MADT (ACPI Specification 6.4, 5.2.12) and SPCR (Microsoft, Serial Port
 * Console Redirection Table, 1.08).
 *
 * Interprets no bytecode.
 */
#include "acpi.h"

#include "acpi_tables.h"

struct madt {
    struct acpi_table table;
    uint32_t local_apic;
    uint32_t flags;
} __attribute__((packed));

struct madt_entry {
    uint8_t type;
    uint8_t length; /* with this header */
} __attribute__((packed));

struct madt_local_apic {
    struct madt_entry entry;
    uint8_t processor;
    uint8_t id;
    uint32_t flags;
} __attribute__((packed));

struct madt_x2apic {
    struct madt_entry entry;
    uint16_t reserved;
    uint32_t id;
    uint32_t flags;
    uint32_t processor;
} __attribute__((packed));

struct madt_io_apic {
    struct madt_entry entry;
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t first_gsi;
} __attribute__((packed));

struct madt_override {
    struct madt_entry entry;
    uint8_t bus;
    uint8_t irq;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));

enum madt_numbers {
    MADT_LOCAL_APIC = 0,
    MADT_IO_APIC = 1,
    MADT_OVERRIDE = 2,
    MADT_X2APIC = 9, /* the same as LOCAL_APIC, for large numbers */

    CPU_ENABLED = 1 << 0, /* the others may be plugged in some day */
    LOCAL_APIC_NONE = 0xff,

    /* Of an override: 0 means as on the ISA bus, active high and edge (5.2.12.5). */
    OVERRIDE_POLARITY = 3 << 0,
    OVERRIDE_ACTIVE_LOW = 3 << 0,
    OVERRIDE_TRIGGER = 3 << 2,
    OVERRIDE_LEVEL = 3 << 2,
};

#define X2APIC_NONE UINT32_MAX

static void add_cpu(uint32_t id, uint32_t flags, struct acpi_madt *madt)
{
    if (!(flags & CPU_ENABLED) || madt->cpu_count == ACPI_CPUS)
        return;
    for (size_t i = 0; i < madt->cpu_count; i++) {
        if (madt->cpus[i] == id)
            return;
    }
    madt->cpus[madt->cpu_count++] = id;
}

static void read_local_apic(const struct madt_entry *entry, struct acpi_madt *madt)
{
    const struct madt_local_apic *found = (const struct madt_local_apic *)entry;

    if (found->id != LOCAL_APIC_NONE)
        add_cpu(found->id, found->flags, madt);
}

static void read_x2apic(const struct madt_entry *entry, struct acpi_madt *madt)
{
    const struct madt_x2apic *found = (const struct madt_x2apic *)entry;

    if (found->id != X2APIC_NONE)
        add_cpu(found->id, found->flags, madt);
}

static void read_io_apic(const struct madt_entry *entry, struct acpi_madt *madt)
{
    const struct madt_io_apic *found = (const struct madt_io_apic *)entry;

    if (madt->io_apic_count < ACPI_IO_APICS)
        madt->io_apics[madt->io_apic_count++] =
            (struct acpi_io_apic){found->address, found->first_gsi};
}

static void read_override(const struct madt_entry *entry, struct acpi_madt *madt)
{
    const struct madt_override *found = (const struct madt_override *)entry;

    if (found->irq < ACPI_ISA_IRQS)
        madt->isa_irqs[found->irq] = (struct acpi_isa_irq){
            .gsi = found->gsi,
            .active_low = (found->flags & OVERRIDE_POLARITY) == OVERRIDE_ACTIVE_LOW,
            .level = (found->flags & OVERRIDE_TRIGGER) == OVERRIDE_LEVEL,
        };
}

static const struct {
    uint8_t type;
    uint8_t length; /* at least */
    void (*read)(const struct madt_entry *entry, struct acpi_madt *madt);
} readers[] = {
    {MADT_LOCAL_APIC, sizeof(struct madt_local_apic), read_local_apic},
    {MADT_IO_APIC, sizeof(struct madt_io_apic), read_io_apic},
    {MADT_OVERRIDE, sizeof(struct madt_override), read_override},
    {MADT_X2APIC, sizeof(struct madt_x2apic), read_x2apic},
};

static void read_entry(const struct madt_entry *entry, struct acpi_madt *madt)
{
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (readers[i].type == entry->type && entry->length >= readers[i].length)
            readers[i].read(entry, madt);
    }
}

static void read_madt(const struct madt *table, struct acpi_madt *madt)
{
    const struct madt_entry *entry;
    size_t at;

    *madt = (struct acpi_madt){.io_apic_count = 0};
    for (uint32_t irq = 0; irq < ACPI_ISA_IRQS; irq++)
        madt->isa_irqs[irq].gsi = irq;
    for (at = sizeof(*table); at + sizeof(*entry) <= table->table.length; at += entry->length) {
        entry = (const struct madt_entry *)((const uint8_t *)table + at);
        if (entry->length < sizeof(*entry) || entry->length > table->table.length - at)
            return;
        read_entry(entry, madt);
    }
}

bool acpi_read_madt(const struct physical_memory *memory, uint64_t rsdp, struct acpi_madt *madt)
{
    const struct madt *table = acpi_find_table(memory, rsdp, "APIC", sizeof(*table));

    if (!table)
        return false;
    read_madt(table, madt);
    return true;
}

/* ---- SPCR ---- */

struct spcr {
    struct acpi_table table;
    uint8_t interface;
    uint8_t reserved[3];
    uint8_t space; /* of the registers, which a generic address says where to find */
    uint8_t width, offset, access;
    uint64_t address;
    uint8_t interrupt_types;
    uint8_t irq; /* of the 8259s */
    uint32_t gsi;
    uint8_t speed;
} __attribute__((packed));

enum spcr_numbers {
    SPCR_SPACE_PORTS = 1,
    SPCR_INTERRUPT_IRQ = 1 << 0,
};

/* Interfaces that a 16550's driver can drive. */
static bool is_16550(uint8_t interface)
{
    static const uint8_t known[] = {0x00, 0x01, 0x12};

    for (size_t i = 0; i < sizeof(known); i++) {
        if (known[i] == interface)
            return true;
    }
    return false;
}

static unsigned speed_of(uint8_t code)
{
    static const unsigned speeds[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};

    return code < sizeof(speeds) / sizeof(speeds[0]) ? speeds[code] : 0;
}

bool acpi_read_spcr(const struct physical_memory *memory, uint64_t rsdp, struct acpi_spcr *spcr)
{
    const struct spcr *table = acpi_find_table(memory, rsdp, "SPCR", sizeof(*table));

    if (!table || !is_16550(table->interface) || table->space != SPCR_SPACE_PORTS ||
        table->address == 0 || table->address > UINT16_MAX - ACPI_SPCR_PORTS + 1)
        return false;
    *spcr = (struct acpi_spcr){
        .port = (uint16_t)table->address,
        .irq = table->interrupt_types & SPCR_INTERRUPT_IRQ && table->irq < ACPI_ISA_IRQS
                   ? table->irq
                   : 0,
        .speed = speed_of(table->speed),
    };
    return true;
}
