/*
 * acpi.c - finds and reads ACPI's MADT (ACPI Specification 6.4, 5.2.5 to 5.2.12).
 *
 * Believes no table whose checksum is wrong, and interprets no bytecode.
 */
#include "acpi.h"

struct rsdp {
    char signature[8];
    uint8_t checksum; /* of what was there in revision 0 */
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length; /* from here on: revision 2 */
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} __attribute__((packed));

struct table {
    char signature[4];
    uint32_t length; /* with this header */
    uint8_t revision;
    uint8_t checksum;
    char oem[6];
    char oem_table[8];
    uint32_t oem_revision;
    uint32_t creator;
    uint32_t creator_revision;
} __attribute__((packed));

struct madt {
    struct table table;
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

enum rsdp_places {
    RSDP_ALIGNMENT = 16,
    RSDP_V1_BYTES = offsetof(struct rsdp, length),
    BIOS_EBDA_SEGMENT = 0x40e,
    EBDA_SEARCHED = 1024,
    BIOS_START = 0xe0000,
    BIOS_END = 0x100000,
};

static bool sums_to_zero(const void *table, size_t len)
{
    const uint8_t *bytes = table;
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

static const struct rsdp *rsdp_at(const struct physical_memory *memory, uint64_t address)
{
    const struct rsdp *rsdp = physical_at(memory, address, RSDP_V1_BYTES);

    if (!rsdp || __builtin_memcmp(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature)) != 0 ||
        !sums_to_zero(rsdp, RSDP_V1_BYTES))
        return NULL;
    if (rsdp->revision >= 2 &&
        (!physical_at(memory, address, sizeof(*rsdp)) || !sums_to_zero(rsdp, sizeof(*rsdp))))
        return NULL;
    return rsdp;
}

static const struct rsdp *search_rsdp(const struct physical_memory *memory, uint64_t start,
                                      uint64_t end)
{
    const struct rsdp *rsdp = NULL;

    for (uint64_t address = start; address < end && !rsdp; address += RSDP_ALIGNMENT)
        rsdp = rsdp_at(memory, address);
    return rsdp;
}

static const struct rsdp *find_rsdp(const struct physical_memory *memory, uint64_t address)
{
    const struct rsdp *rsdp;
    const uint8_t *ebda;
    uint64_t start;

    if (address)
        return rsdp_at(memory, address);
    ebda = physical_at(memory, BIOS_EBDA_SEGMENT, 2);
    start = ebda ? (uint64_t)(ebda[0] | ebda[1] << 8) << 4 : 0;
    rsdp = search_rsdp(memory, start, start + EBDA_SEARCHED);
    return rsdp ? rsdp : search_rsdp(memory, BIOS_START, BIOS_END);
}

/* The table at `address` if it is whole and has that signature, or NULL. */
static const struct table *table_at(const struct physical_memory *memory, uint64_t address,
                                    const char *signature)
{
    const struct table *table = physical_at(memory, address, sizeof(*table));

    if (!table || __builtin_memcmp(table->signature, signature, sizeof(table->signature)) != 0 ||
        table->length < sizeof(*table) || !physical_at(memory, address, table->length) ||
        !sums_to_zero(table, table->length))
        return NULL;
    return table;
}

/* The root table is a list of addresses: of 4 bytes in the RSDT, of 8 in the XSDT. */
static const struct table *find_table(const struct physical_memory *memory, const struct rsdp *rsdp,
                                      const char *signature)
{
    bool extended = rsdp->revision >= 2 && rsdp->xsdt;
    size_t address_bytes = extended ? sizeof(rsdp->xsdt) : sizeof(rsdp->rsdt);
    const struct table *root =
        extended ? table_at(memory, rsdp->xsdt, "XSDT") : table_at(memory, rsdp->rsdt, "RSDT");
    const struct table *table = NULL;

    if (!root)
        return NULL;
    for (size_t at = sizeof(*root); at + address_bytes <= root->length && !table;
         at += address_bytes) {
        uint64_t address = 0;

        __builtin_memcpy(&address, (const uint8_t *)root + at, address_bytes);
        table = table_at(memory, address, signature);
    }
    return table;
}

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

bool acpi_read_madt(const struct physical_memory *memory, uint64_t address, struct acpi_madt *madt)
{
    const struct rsdp *rsdp = find_rsdp(memory, address);
    const struct table *table = rsdp ? find_table(memory, rsdp, "APIC") : NULL;

    if (!table || table->length < sizeof(struct madt))
        return false;
    read_madt((const struct madt *)table, madt);
    return true;
}
