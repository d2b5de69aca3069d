/*
 * acpi_tables.c - finds a table of ACPI's by its signature (ACPI Specification 6.4, 5.2.5
 * to 5.2.8).
 *
 * Believes no table whose checksum is wrong.
 */
#include "acpi_tables.h"

#include <stdbool.h>

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
static const struct acpi_table *table_at(const struct physical_memory *memory, uint64_t address,
                                         const char *signature)
{
    const struct acpi_table *table = physical_at(memory, address, sizeof(*table));

    if (!table || __builtin_memcmp(table->signature, signature, sizeof(table->signature)) != 0 ||
        table->length < sizeof(*table) || !physical_at(memory, address, table->length) ||
        !sums_to_zero(table, table->length))
        return NULL;
    return table;
}

/* The root table is a list of addresses: of 4 bytes in the RSDT, of 8 in the XSDT. */
static const struct acpi_table *find_listed(const struct physical_memory *memory,
                                            const struct rsdp *rsdp, const char *signature)
{
    bool extended = rsdp->revision >= 2 && rsdp->xsdt;
    size_t address_bytes = extended ? sizeof(rsdp->xsdt) : sizeof(rsdp->rsdt);
    const struct acpi_table *root =
        extended ? table_at(memory, rsdp->xsdt, "XSDT") : table_at(memory, rsdp->rsdt, "RSDT");
    const struct acpi_table *table = NULL;

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

const void *acpi_find_table(const struct physical_memory *memory, uint64_t rsdp,
                            const char *signature, size_t least)
{
    const struct rsdp *found = find_rsdp(memory, rsdp);
    const struct acpi_table *table = found ? find_listed(memory, found, signature) : NULL;

    return table && table->length >= least ? table : NULL;
}
