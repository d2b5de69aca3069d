/*
 * machine.c - stopping, resetting and leaving the machine, and the interrupt flag.
 */
#include "arch/arch.h"
#include "instructions.h"

enum machine_ports {
    KEYBOARD_STATUS = 0x64, /* reads */
    KEYBOARD_COMMAND = 0x64,
    KEYBOARD_INPUT_FULL = 1 << 1,
    KEYBOARD_PULSE_RESET = 0xfe,

    DELAY_PORT = 0x80, /* POST codes: an access takes about a microsecond */

    RESET_CONTROL = 0xcf9, /* of Intel's chip sets since the PIIX3 */
    RESET_CONTROL_HARD = 1 << 1,
    RESET_CONTROL_NOW = 1 << 2, /* resets when it becomes 1 */

    FW_CFG_SELECT = 0x510, /* QEMU, docs/specs/fw_cfg: 16 bits, written */
    FW_CFG_DATA = 0x511,
    FW_CFG_SIGNATURE = 0,

    PVPANIC = 0x505, /* QEMU, docs/specs/pvpanic: reads as the events that it knows */
    PVPANIC_PANICKED = 1 << 0,
    PVPANIC_ABSENT = 0xff,

    DEBUG_EXIT = 0xf4, /* QEMU's isa-debug-exit at the port everybody gives it */
    DEBUG_EXIT_MAX = 127,
};

enum machine_flags {
    RFLAGS_IF = 1 << 9,
};

void arch_pause(void)
{
    __asm__ volatile("pause");
}

void arch_interrupts_enable(void)
{
    __asm__ volatile("sti" : : : "memory");
}

bool arch_interrupts_disable(void)
{
    uint64_t flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return (flags & RFLAGS_IF) != 0;
}

void arch_interrupts_wait(void)
{
    __asm__ volatile("sti; hlt" : : : "memory"); /* nothing comes in between: SDM 2B, STI */
}

_Noreturn void arch_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory"); /* NMIs end a hlt */
}

static void delay_us(unsigned us)
{
    while (us--)
        inb(DELAY_PORT);
}

static void reset_by_chip_set(void)
{
    outb(RESET_CONTROL, RESET_CONTROL_HARD);
    delay_us(50);
    outb(RESET_CONTROL, RESET_CONTROL_HARD | RESET_CONTROL_NOW);
    delay_us(50);
}

static void reset_by_keyboard_controller(void)
{
    for (int i = 0; i < 10000 && (inb(KEYBOARD_STATUS) & KEYBOARD_INPUT_FULL); i++)
        delay_us(2);
    outb(KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
    delay_us(50);
}

/* A trap without any descriptors: the CPU shuts down, which the chip set answers by a reset. */
static void reset_by_triple_fault(void)
{
    const struct descriptor_pointer none = {0, 0};

    lidt(&none);
    __asm__ volatile("int3");
}

_Noreturn void arch_reset(void)
{
    (void)arch_interrupts_disable();
    reset_by_chip_set();
    reset_by_keyboard_controller();
    reset_by_triple_fault();
    arch_halt();
}

static bool is_qemu(void)
{
    static const uint8_t signature[] = {'Q', 'E', 'M', 'U'};

    __asm__ volatile("outw %w0, %w1" : : "a"(FW_CFG_SIGNATURE), "Nd"(FW_CFG_SELECT));
    for (size_t i = 0; i < sizeof(signature); i++) {
        if (inb(FW_CFG_DATA) != signature[i])
            return false;
    }
    return true;
}

void arch_tell_emulator_of_crash(void)
{
    uint8_t events = is_qemu() ? inb(PVPANIC) : PVPANIC_ABSENT;

    if (events != PVPANIC_ABSENT && (events & PVPANIC_PANICKED) != 0)
        outb(PVPANIC, PVPANIC_PANICKED);
}

void arch_exit_emulator(unsigned code)
{
    if (is_qemu())
        outl(DEBUG_EXIT, code > DEBUG_EXIT_MAX ? DEBUG_EXIT_MAX : code);
}
