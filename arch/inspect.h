/*
 * inspect.h - looking inside the processor and its tables: for a debugger, and for the live core
 * that it offers.  Anywhere.
 */
#ifndef ARCH_INSPECT_H
#define ARCH_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gdbstub/gdbstub.h"

/* Where the kernel's ELF file says that it begins. */
extern const uint64_t arch_entry;

/* The registers of a core file's NT_PRSTATUS, in its order, as indices into arch_gdb. */
enum arch_core_registers {
    ARCH_CORE_REGISTERS = 27,
};
extern const uint16_t arch_core_registers[ARCH_CORE_REGISTERS];

/* Copy physical memory: the bytes copied before the first that is not memory. */
size_t arch_copy_physical(void *to, uint64_t physical, size_t len);

/* The memory around `address`, or the hole, as the page tables of now have it.  False if there is
 * no such address.  Without a name. */
bool arch_memory_region(uint64_t address, struct gdbstub_range *range);

/* These three may trap: call them under arch_guard().  `bytes` is 1, 2 or 4. */
uint64_t arch_read_msr(uint32_t number);
uint32_t arch_read_port(uint16_t port, unsigned bytes);
void arch_write_port(uint16_t port, unsigned bytes, uint32_t value);

/* What an interrupt or exception leads to.  False past the last vector. */
struct arch_gate {
    uint64_t handler;
    unsigned selector, stack, type, level; /* stack 0: the interrupted one */
    bool present;
};
bool arch_gate(unsigned vector, struct arch_gate *gate);
const char *arch_vector_name(unsigned vector);

/* The n-th segment descriptor, raw; its second word is 0 if it has one only.  False past the last.
 */
bool arch_segment(unsigned n, unsigned *selector, uint64_t words[2]);

/* The n-th input of the interrupt controllers.  False past the last. */
struct arch_interrupt_input {
    unsigned number; /* of all in the machine */
    unsigned vector, delivery, cpu;
    bool masked, level_triggered, active_low, pending;
};
bool arch_interrupt_input(size_t n, struct arch_interrupt_input *input);

/* A word that survives a reset: keep one; take it, once.  0 if there is none. */
void arch_keep_word(uint32_t word);
uint32_t arch_take_word(void);

#endif
