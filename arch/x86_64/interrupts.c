/*
 * interrupts.c - which controllers this machine has, what an interrupt was about, where ticks come
 * from.
 *
 * A PC has two 8259s and, unless it is very old, a local APIC in each CPU and IOAPICs that ACPI's
 * tables name.  With a local APIC the 8259s stay masked for ever.
 */
#include "interrupts.h"

#include "arch/arch.h"
#include "acpi.h"
#include "io_apic.h"
#include "local_apic.h"
#include "memory_layout.h"
#include "pic.h"
#include "pit.h"
#include "smp.h"

enum interrupt_limits {
    VECTORS = 256,
    PIT_LINE = 0,
};

static const struct {
    enum arch_interrupt source;
    const char *name; /* NULL: nobody uses the vector */
} interrupts[VECTORS] = {
#define INTERRUPT(number, id, source, name) [number] = {ARCH_INTERRUPT_##source, name},
#include "interrupts.def"
#undef INTERRUPT
};

const char *interrupt_name(uint32_t vector)
{
    return vector < VECTORS && interrupts[vector].name != NULL ? interrupts[vector].name
                                                               : "interrupt";
}

void arch_init_interrupts(void)
{
    const struct physical_memory memory = {direct(0), BOOT_MAPPED};
    struct acpi_madt madt;

    pic_init(VECTOR_LINE_0);
    if (!local_apic_init() || !acpi_read_madt(&memory, arch_boot_info()->acpi_root, &madt))
        return;
    io_apic_init(&madt);
    smp_init(&madt);
}

static bool is_pic_line(uint32_t vector)
{
    return vector >= VECTOR_LINE_0 && vector <= VECTOR_LINE_15;
}

enum arch_interrupt arch_interrupt_source(const struct trap *trap)
{
    if (trap->vector >= VECTORS ||
        (is_pic_line(trap->vector) && !pic_in_service(trap->vector - VECTOR_LINE_0)))
        return ARCH_INTERRUPT_SPURIOUS;
    return interrupts[trap->vector].source;
}

/* A controller hears of the end of what it has in service, and of nothing else: not of spurious
 * interrupts, nor of those that an instruction raised. */
void arch_interrupt_done(const struct trap *trap)
{
    if (is_pic_line(trap->vector))
        pic_done(trap->vector - VECTOR_LINE_0);
    else
        local_apic_done(trap->vector);
}

/* The interval timer's line goes to every CPU, for there is only one such timer. */
static bool route_pit(void)
{
    if (local_apic_is_present())
        return io_apic_route(PIT_LINE, IO_APIC_ALL_CPUS, VECTOR_TIMER);
    pic_unmask(PIT_LINE);
    return true;
}

bool arch_timer_start(unsigned hz)
{
    if (hz == 0)
        return false;
    if (local_apic_start_timer(hz, VECTOR_TIMER))
        return true;
    if (!route_pit())
        return false;
    pit_start(hz);
    return true;
}
