/*
 * io_apic.c - routes ISA interrupts (82093AA data sheet, 3.0).  Without ACPI's tables nobody knows
 * where the IOAPICs are, and no line can be routed.
 */
#include "io_apic.h"

#include "arch/arch.h"
#include "arch/inspect.h"
#include "memory_layout.h"

enum io_apic_numbers {
    SELECT = 0x00, /* byte offsets */
    WINDOW_DATA = 0x10,
    REGISTER_BYTES = 0x20,

    VERSION = 1, /* what is selected */
    VERSION_LAST_SHIFT = 16,
    ENTRIES = 0x10, /* two words each */

    ENTRY_PENDING = 1 << 12,
    ENTRY_ACTIVE_LOW = 1 << 13,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
    DESTINATION_SHIFT = 24, /* in the second word */
};

struct io_apic {
    volatile uint32_t *registers;
    uint32_t first_gsi;
    uint32_t inputs;
};

static struct {
    struct io_apic io_apics[ACPI_IO_APICS];
    size_t count; /* 0: no line can be routed */
    struct acpi_isa_irq isa_irqs[ACPI_ISA_IRQS];
} io_apic;

/* The registers are reached through a selector.  It is put back, because a trap may come between
 * another's use of it and of the window. */
static uint32_t read_register(const struct io_apic *io, uint32_t reg)
{
    uint32_t selected = io->registers[SELECT / 4];
    uint32_t value;

    io->registers[SELECT / 4] = reg;
    value = io->registers[WINDOW_DATA / 4];
    io->registers[SELECT / 4] = selected;
    return value;
}

static void write_register(const struct io_apic *io, uint32_t reg, uint32_t value)
{
    uint32_t selected = io->registers[SELECT / 4];

    io->registers[SELECT / 4] = reg;
    io->registers[WINDOW_DATA / 4] = value;
    io->registers[SELECT / 4] = selected;
}

/* An entry is masked while its two halves do not belong together. */
static void set_entry(const struct io_apic *io, uint32_t input, uint32_t destination, uint32_t low)
{
    uint32_t reg = ENTRIES + 2 * input;

    write_register(io, reg, ENTRY_MASKED);
    write_register(io, reg + 1, destination << DESTINATION_SHIFT);
    write_register(io, reg, low);
}

static void init_one(const struct acpi_io_apic *found)
{
    struct io_apic *io = &io_apic.io_apics[io_apic.count];

    io->registers = map_device(found->address, REGISTER_BYTES, "IOAPIC");
    if (!io->registers)
        return;
    io->first_gsi = found->first_gsi;
    io->inputs = (read_register(io, VERSION) >> VERSION_LAST_SHIFT & 0xff) + 1;
    for (uint32_t input = 0; input < io->inputs; input++)
        set_entry(io, input, 0, ENTRY_MASKED);
    io_apic.count++;
}

void io_apic_init(const struct acpi_madt *madt)
{
    for (size_t i = 0; i < ACPI_ISA_IRQS; i++)
        io_apic.isa_irqs[i] = madt->isa_irqs[i];
    for (size_t i = 0; i < madt->io_apic_count; i++)
        init_one(&madt->io_apics[i]);
}

static const struct io_apic *find_io_apic(uint32_t gsi)
{
    for (size_t i = 0; i < io_apic.count; i++) {
        const struct io_apic *io = &io_apic.io_apics[i];

        if (gsi >= io->first_gsi && gsi - io->first_gsi < io->inputs)
            return io;
    }
    return NULL;
}

/* How the line signals.  An NMI has no end that would let a level in again. */
static uint32_t signal_bits(const struct acpi_isa_irq *line, uint32_t delivery)
{
    uint32_t bits = line->active_low ? ENTRY_ACTIVE_LOW : 0;

    return line->level && delivery != IO_APIC_NMI ? bits | ENTRY_LEVEL : bits;
}

bool io_apic_route(unsigned irq, uint32_t destination, uint32_t delivery)
{
    const struct acpi_isa_irq *line = &io_apic.isa_irqs[irq];
    const struct io_apic *io = find_io_apic(line->gsi);

    if (!io || destination > IO_APIC_ALL_CPUS)
        return false;
    set_entry(io, line->gsi - io->first_gsi, destination, delivery | signal_bits(line, delivery));
    return true;
}

bool arch_interrupt_input(size_t n, struct arch_interrupt_input *input)
{
    for (size_t i = 0; i < io_apic.count; i++) {
        const struct io_apic *io = &io_apic.io_apics[i];

        if (n >= io->inputs) {
            n -= io->inputs;
            continue;
        }
        uint32_t reg = ENTRIES + 2 * (uint32_t)n;
        uint32_t low = read_register(io, reg), high = read_register(io, reg + 1);
        *input = (struct arch_interrupt_input){
            .number = io->first_gsi + (unsigned)n,
            .vector = low & 0xff,
            .delivery = low >> 8 & 7,
            .pending = (low & ENTRY_PENDING) != 0,
            .active_low = (low & ENTRY_ACTIVE_LOW) != 0,
            .level_triggered = (low & ENTRY_LEVEL) != 0,
            .masked = (low & ENTRY_MASKED) != 0,
            .cpu = high >> DESTINATION_SHIFT,
        };
        return true;
    }
    return false;
}
