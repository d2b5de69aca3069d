/*
 * apic.c - interrupt controllers: silences what the firmware left, and makes a line an NMI.
 *
 * Without ACPI tables or a local APIC, everything stays masked and no line can be routed.
 */
#include "apic.h"

#include "arch/arch.h"
#include "acpi.h"
#include "instructions.h"
#include "memory_layout.h"

/* Intel 8259A data sheet. */
enum pic_numbers {
    PIC_MASTER = 0x20,
    PIC_SLAVE = 0xa0,
    PIC_DATA = 1,          /* added to the port */
    PIC_INITIALISE = 0x11, /* ICW1: edge, cascade, ICW4 follows */
    PIC_CASCADE_IRQ = 2,
    PIC_8086 = 0x01, /* ICW4 */
    PIC_LINES = 8,
    PIC_MASK_ALL = 0xff,
};

/* SDM 3A, table 11-1. */
enum local_apic_numbers {
    APIC_TASK_PRIORITY = 0x80, /* byte offsets */
    APIC_SPURIOUS = 0xf0,
    APIC_ENABLE = 1 << 8,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350, /* the 8259s */
    APIC_LVT_LINT1 = 0x360, /* the machine's NMI */
    APIC_LVT_ERROR = 0x370,
    APIC_BYTES = 0x400,

    APIC_DELIVER_NMI = 4 << 8,
    APIC_PENDING = 1 << 12,
    APIC_ACTIVE_LOW = 1 << 13,
    APIC_LEVEL = 1 << 15,
    APIC_MASKED = 1 << 16, /* in both APICs' entries */

    APIC_BASE_ENABLE = 1 << 11, /* in MSR_APIC_BASE */
    APIC_BASE_X2APIC = 1 << 10,

    CPUID_1_EDX_APIC = 1 << 9,
    CPUID_1_EBX_APIC_ID_SHIFT = 24,
};

#define APIC_BASE_ADDRESS 0x000ffffffffff000u

/* 82093AA data sheet, 3.0. */
enum io_apic_numbers {
    IO_APIC_SELECT = 0x00, /* byte offsets */
    IO_APIC_WINDOW = 0x10,
    IO_APIC_BYTES = 0x20,

    IO_APIC_VERSION = 1, /* what is selected */
    IO_APIC_VERSION_LAST_SHIFT = 16,
    IO_APIC_ENTRIES = 0x10, /* two words each */
    IO_APIC_DESTINATION_SHIFT = 24,
};

struct io_apic {
    volatile uint32_t *registers;
    uint32_t first_gsi;
    uint32_t inputs;
};

static struct {
    struct io_apic io_apics[ACPI_IO_APICS];
    size_t io_apic_count; /* 0: no line can be routed */
    struct acpi_isa_irq isa_irqs[ACPI_ISA_IRQS];
} apic;

static void init_pic(uint16_t port, uint8_t vector, uint8_t cascade)
{
    outb(port, PIC_INITIALISE);
    outb(port + PIC_DATA, vector);
    outb(port + PIC_DATA, cascade);
    outb(port + PIC_DATA, PIC_8086);
    outb(port + PIC_DATA, PIC_MASK_ALL);
}

/* Masked, an 8259 still makes spurious interrupts: away from the exceptions with them. */
static void silence_pics(void)
{
    init_pic(PIC_MASTER, PIC_VECTOR, 1 << PIC_CASCADE_IRQ);
    init_pic(PIC_SLAVE, PIC_VECTOR + PIC_LINES, PIC_CASCADE_IRQ);
}

/* False if there is none, or the firmware left it in x2APIC mode, where it has no registers in
 * memory: such a one stays as it is. */
static bool init_local_apic(void)
{
    volatile uint32_t *registers;
    uint64_t base;

    if (!(cpuid(1, 0).edx & CPUID_1_EDX_APIC))
        return false;
    base = rdmsr(MSR_APIC_BASE);
    if (base & APIC_BASE_X2APIC)
        return false;
    wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    registers = map_device(base & APIC_BASE_ADDRESS, APIC_BYTES, "local APIC");
    if (!registers)
        return false;
    registers[APIC_SPURIOUS / 4] = APIC_ENABLE | APIC_SPURIOUS_VECTOR;
    registers[APIC_TASK_PRIORITY / 4] = 0;
    registers[APIC_LVT_TIMER / 4] = APIC_MASKED;
    registers[APIC_LVT_LINT0 / 4] = APIC_MASKED;
    registers[APIC_LVT_LINT1 / 4] = APIC_DELIVER_NMI;
    registers[APIC_LVT_ERROR / 4] = APIC_MASKED;
    return true;
}

/* The registers are reached through a selector.  It is put back, because a trap may come between
 * another's use of it and of the window. */
static uint32_t io_apic_read(const struct io_apic *io, uint32_t reg)
{
    uint32_t selected = io->registers[IO_APIC_SELECT / 4];
    uint32_t value;

    io->registers[IO_APIC_SELECT / 4] = reg;
    value = io->registers[IO_APIC_WINDOW / 4];
    io->registers[IO_APIC_SELECT / 4] = selected;
    return value;
}

static void io_apic_write(const struct io_apic *io, uint32_t reg, uint32_t value)
{
    uint32_t selected = io->registers[IO_APIC_SELECT / 4];

    io->registers[IO_APIC_SELECT / 4] = reg;
    io->registers[IO_APIC_WINDOW / 4] = value;
    io->registers[IO_APIC_SELECT / 4] = selected;
}

/* An entry is masked while its two halves do not belong together. */
static void set_entry(const struct io_apic *io, uint32_t input, uint32_t destination, uint32_t low)
{
    uint32_t reg = IO_APIC_ENTRIES + 2 * input;

    io_apic_write(io, reg, APIC_MASKED);
    io_apic_write(io, reg + 1, destination << IO_APIC_DESTINATION_SHIFT);
    io_apic_write(io, reg, low);
}

static void init_io_apic(const struct acpi_io_apic *found)
{
    struct io_apic *io = &apic.io_apics[apic.io_apic_count];

    io->registers = map_device(found->address, IO_APIC_BYTES, "IOAPIC");
    if (!io->registers)
        return;
    io->first_gsi = found->first_gsi;
    io->inputs = (io_apic_read(io, IO_APIC_VERSION) >> IO_APIC_VERSION_LAST_SHIFT & 0xff) + 1;
    for (uint32_t input = 0; input < io->inputs; input++)
        set_entry(io, input, 0, APIC_MASKED);
    apic.io_apic_count++;
}

void arch_init_interrupts(void)
{
    const struct physical_memory memory = {direct(0), BOOT_MAPPED};
    struct acpi_madt madt;

    silence_pics();
    if (!init_local_apic() || !acpi_read_madt(&memory, arch_boot_info()->acpi_root, &madt))
        return;
    for (size_t i = 0; i < ACPI_ISA_IRQS; i++)
        apic.isa_irqs[i] = madt.isa_irqs[i];
    for (size_t i = 0; i < madt.io_apic_count; i++)
        init_io_apic(&madt.io_apics[i]);
}

static const struct io_apic *find_io_apic(uint32_t gsi)
{
    for (size_t i = 0; i < apic.io_apic_count; i++) {
        const struct io_apic *io = &apic.io_apics[i];

        if (gsi >= io->first_gsi && gsi - io->first_gsi < io->inputs)
            return io;
    }
    return NULL;
}

bool apic_route_nmi(unsigned irq)
{
    const struct acpi_isa_irq *line = &apic.isa_irqs[irq];
    const struct io_apic *io = find_io_apic(line->gsi);
    uint32_t this_cpu = cpuid(1, 0).ebx >> CPUID_1_EBX_APIC_ID_SHIFT;

    if (!io)
        return false;
    set_entry(io, line->gsi - io->first_gsi, this_cpu,
              APIC_DELIVER_NMI | (line->active_low ? APIC_ACTIVE_LOW : 0));
    return true;
}

bool arch_interrupt_input(size_t n, struct arch_interrupt_input *input)
{
    for (size_t i = 0; i < apic.io_apic_count; i++) {
        const struct io_apic *io = &apic.io_apics[i];

        if (n >= io->inputs) {
            n -= io->inputs;
            continue;
        }
        uint32_t reg = IO_APIC_ENTRIES + 2 * (uint32_t)n;
        uint32_t low = io_apic_read(io, reg), high = io_apic_read(io, reg + 1);
        *input = (struct arch_interrupt_input){
            .number = io->first_gsi + (unsigned)n,
            .vector = low & 0xff,
            .delivery = low >> 8 & 7,
            .pending = (low & APIC_PENDING) != 0,
            .active_low = (low & APIC_ACTIVE_LOW) != 0,
            .level_triggered = (low & APIC_LEVEL) != 0,
            .masked = (low & APIC_MASKED) != 0,
            .cpu = high >> IO_APIC_DESTINATION_SHIFT,
        };
        return true;
    }
    return false;
}
