/*
 * watchdog.c - an NMI every 50 ms from the oldest timer there is (Intel 8254), through the I/O
 * APIC: comes through with interrupts off, whatever the kernel is stuck in.
 *
 * Says nothing about what is stuck: who is asked about NMIs decides that.
 */
#include "arch/arch.h"
#include "instructions.h"
#include "io_apic.h"
#include "local_apic.h"

enum pit_numbers {
    PIT_HZ = 1193182,
    PIT_CHANNEL_0 = 0x40,
    PIT_COMMAND = 0x43,
    PIT_CHANNEL_0_RATE = 0x34, /* both bytes, mode 2: for ever */
    PIT_CHANNEL_0_IDLE = 0x30, /* both bytes, mode 0: waits for a count */
    PIT_COUNT = PIT_HZ / (1000 / ARCH_WATCHDOG_MS),
    PIT_IRQ = 0,
};

bool arch_watchdog(bool enable)
{
    uint8_t byte;

    outb(PIT_COMMAND, enable ? PIT_CHANNEL_0_RATE : PIT_CHANNEL_0_IDLE);
    if (!enable)
        return true;
    if (!io_apic_route(PIT_IRQ, local_apic_id(), IO_APIC_NMI))
        return false;
    outb(PIT_CHANNEL_0, PIT_COUNT & 0xff);
    outb(PIT_CHANNEL_0, PIT_COUNT >> 8);
    /* Inside an NMI the next one waits for an iretq (SDM 3A 6.7.1): a copy that faults does one. */
    (void)arch_copy(&byte, NULL, sizeof byte);
    return true;
}
