/*
 * pci.h - functions on the PCI bus: finding them, their configuration space, their registers.
 */
#ifndef ARCH_X86_64_PCI_H
#define ARCH_X86_64_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pci_function {
    uint32_t address; /* bus, device, function: as the address port wants them */
};

/* The first function with that vendor and device id.  False if there is none. */
bool pci_find(uint16_t vendor, uint16_t device, struct pci_function *found);

/* The n-th function, from 0, of that class and subclass.  False if there are no more. */
bool pci_find_class(uint16_t class, unsigned n, struct pci_function *found);

/* A word of the configuration space; `offset` is a multiple of 4. */
uint32_t pci_read(const struct pci_function *function, unsigned offset);
void pci_write(const struct pci_function *function, unsigned offset, uint32_t value);

/* The offset of the next capability with that id after `offset` (0: the first), or 0. */
unsigned pci_next_capability(const struct pci_function *function, unsigned offset, uint8_t id);

/* The physical address in a memory base address register; 0: none, or it is for ports. */
uint64_t pci_memory_bar(const struct pci_function *function, unsigned bar);

/* The ports that a base address register has; *base is 0 if it has none.  False if there is no such
 * register. */
bool pci_ports_bar(const struct pci_function *function, unsigned bar, uint32_t *base,
                   uint32_t *bytes);

/* What a function may do. */
enum pci_abilities {
    PCI_PORTS = 1 << 0,  /* answer to its ports */
    PCI_MEMORY = 1 << 1, /* ... its memory */
    PCI_MASTER = 1 << 2, /* read and write the machine's */
};
void pci_enable(const struct pci_function *function, uint32_t abilities);

#endif
