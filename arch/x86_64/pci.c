/*
 * pci.c - PCI's configuration space by its two ports (PCI Local Bus 3.0, 3.2.2.3.2).
 *
 * Takes addresses as the firmware has given them out; gives out none.
 */
#include "pci.h"

#include "instructions.h"

enum pci_numbers {
    ADDRESS_PORT = 0xcf8,
    DATA_PORT = 0xcfc,
    DEVICE_SHIFT = 11,
    BUS_SHIFT = 16,
    FUNCTION_SHIFT = 8,
    DEVICES = 32,
    FUNCTIONS = 8,

    IDENTITY = 0x00,
    COMMAND = 0x04,
    STATUS_CAPABILITIES = 1 << 20, /* in the same word */
    CLASS = 0x08,
    HEADER = 0x0c,
    HEADER_TYPE_SHIFT = 16,
    HEADER_BRIDGE = 1,
    HEADER_MULTIPLE = 0x80,
    BAR_0 = 0x10,
    BARS = 6,
    BAR_PORTS = 1 << 0,
    BAR_PORTS_FLAGS = 3,
    BAR_64_BITS = 2 << 1,
    BAR_TYPE = 3 << 1,
    BRIDGE_BUSES = 0x18,
    BRIDGE_LAST_BUS_SHIFT = 16,
    CAPABILITIES = 0x34,
    CAPABILITIES_MOST = 48, /* that fit: a longer chain is a ring */
};

#define ADDRESS_ENABLE 0x80000000u
#define BAR_FLAGS      0xfu
#define COMMAND_MASK   0xffffu /* the status bits above clear by a 1 */

uint32_t pci_read(const struct pci_function *function, unsigned offset)
{
    outl(ADDRESS_PORT, ADDRESS_ENABLE | function->address | offset);
    return inl(DATA_PORT);
}

void pci_write(const struct pci_function *function, unsigned offset, uint32_t value)
{
    outl(ADDRESS_PORT, ADDRESS_ENABLE | function->address | offset);
    outl(DATA_PORT, value);
}

static struct pci_function function_at(unsigned bus, unsigned device, unsigned number)
{
    return (struct pci_function){bus << BUS_SHIFT | device << DEVICE_SHIFT |
                                 number << FUNCTION_SHIFT};
}

static uint8_t header_type(const struct pci_function *function)
{
    return (uint8_t)(pci_read(function, HEADER) >> HEADER_TYPE_SHIFT);
}

/* Functions in whose word at `offset` the bits of `mask` are `value`, but for the first few. */
struct search {
    unsigned offset;
    uint32_t mask, value;
    unsigned skip;
};

static bool is_wanted(struct search *search, const struct pci_function *function)
{
    return (pci_read(function, search->offset) & search->mask) == search->value &&
           search->skip-- == 0;
}

/* Look at one device's functions; a bridge among them says which buses there are. */
static bool find_on_device(struct search *search, unsigned bus, unsigned device, unsigned *last_bus,
                           struct pci_function *found)
{
    unsigned functions = 1;

    for (unsigned number = 0; number < functions; number++) {
        struct pci_function function = function_at(bus, device, number);

        if (pci_read(&function, IDENTITY) == UINT32_MAX)
            continue;
        if (is_wanted(search, &function)) {
            *found = function;
            return true;
        }
        if ((header_type(&function) & HEADER_MULTIPLE) != 0)
            functions = FUNCTIONS;
        if ((header_type(&function) & ~HEADER_MULTIPLE) == HEADER_BRIDGE) {
            uint32_t last = pci_read(&function, BRIDGE_BUSES) >> BRIDGE_LAST_BUS_SHIFT & 0xff;

            *last_bus = last > *last_bus ? last : *last_bus;
        }
    }
    return false;
}

static bool find(struct search search, struct pci_function *found)
{
    unsigned last_bus = 0;

    for (unsigned bus = 0; bus <= last_bus; bus++) {
        for (unsigned number = 0; number < DEVICES; number++) {
            if (find_on_device(&search, bus, number, &last_bus, found))
                return true;
        }
    }
    return false;
}

bool pci_find(uint16_t vendor, uint16_t device, struct pci_function *found)
{
    return find((struct search){IDENTITY, UINT32_MAX, (uint32_t)device << 16 | vendor, 0}, found);
}

bool pci_find_class(uint16_t class, unsigned n, struct pci_function *found)
{
    return find((struct search){CLASS, 0xffff0000, (uint32_t) class << 16, n}, found);
}

unsigned pci_next_capability(const struct pci_function *function, unsigned offset, uint8_t id)
{
    if (offset == 0 && (pci_read(function, COMMAND) & STATUS_CAPABILITIES) == 0)
        return 0;
    for (unsigned i = 0; i < CAPABILITIES_MOST; i++) {
        uint32_t word = pci_read(function, offset == 0 ? CAPABILITIES : offset);

        offset = (offset == 0 ? word : word >> 8) & 0xfc;
        if (offset == 0 || (pci_read(function, offset) & 0xff) == id)
            return offset;
    }
    return 0;
}

uint64_t pci_memory_bar(const struct pci_function *function, unsigned bar)
{
    uint32_t low, high = 0;

    if (bar >= BARS)
        return 0;
    low = pci_read(function, BAR_0 + 4 * bar);
    if ((low & BAR_PORTS) != 0)
        return 0;
    if ((low & BAR_TYPE) == BAR_64_BITS && bar + 1 < BARS)
        high = pci_read(function, BAR_0 + 4 * (bar + 1));
    return (uint64_t)high << 32 | (low & ~BAR_FLAGS);
}

/* A register keeps of all ones what it decodes (PCI Local Bus 3.0, 6.2.5.1): meanwhile the function
 * answers to nothing. */
bool pci_ports_bar(const struct pci_function *function, unsigned bar, uint32_t *base,
                   uint32_t *bytes)
{
    unsigned offset = BAR_0 + 4 * bar;
    uint32_t command = pci_read(function, COMMAND) & COMMAND_MASK;
    uint32_t value, kept;

    *base = *bytes = 0;
    if (bar >= BARS)
        return false;
    value = pci_read(function, offset);
    if ((value & BAR_PORTS) == 0)
        return true;
    pci_write(function, COMMAND, command & ~(uint32_t)(PCI_PORTS | PCI_MEMORY));
    pci_write(function, offset, UINT32_MAX);
    kept = pci_read(function, offset) & ~(uint32_t)BAR_PORTS_FLAGS;
    pci_write(function, offset, value);
    pci_write(function, COMMAND, command);
    *base = value & ~(uint32_t)BAR_PORTS_FLAGS;
    *bytes = kept & (~kept + 1); /* its lowest bit */
    return true;
}

void pci_enable(const struct pci_function *function, uint32_t abilities)
{
    uint32_t command = pci_read(function, COMMAND) & COMMAND_MASK;

    pci_write(function, COMMAND, command | abilities);
}
