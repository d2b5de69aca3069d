/*
 * local_apic.c - the local APIC (SDM 3A chapter 11): messages to other CPUs, and a timer.
 *
 * It is used in the mode that the firmware has left it in: xAPIC, with registers in memory, or
 * x2APIC, where they are MSRs.  The timer counts at a rate that only a measurement tells.
 */
#include "local_apic.h"

#include "arch/arch.h"
#include "instructions.h"
#include "interrupts.h"
#include "memory_layout.h"

/* Byte offsets in memory; x2APIC has each at an MSR of its own, 16 bytes a number (SDM 3A, tables
 * 11-1 and 11-6). */
enum local_apic_registers {
    ID = 0x20,
    TASK_PRIORITY = 0x80,
    END_OF_INTERRUPT = 0xb0,
    SPURIOUS = 0xf0,
    IN_SERVICE = 0x100, /* 8 registers of 32 vectors */
    COMMAND = 0x300,
    COMMAND_DESTINATION = 0x310, /* x2APIC: the high half of COMMAND */
    LVT_TIMER = 0x320,
    LVT_LINT0 = 0x350, /* the 8259s */
    LVT_LINT1 = 0x360, /* the machine's NMI */
    LVT_ERROR = 0x370,
    TIMER_INITIAL = 0x380,
    TIMER_CURRENT = 0x390,
    TIMER_DIVIDE = 0x3e0,
    REGISTER_BYTES = 0x400,
    REGISTER_SPACING = 0x10,
};

enum local_apic_bits {
    SPURIOUS_ENABLE = 1 << 8,
    COMMAND_PENDING = 1 << 12,
    COMMAND_ASSERT = 1 << 14,
    DESTINATION_SHIFT = 24, /* and of the number in ID */
    DESTINATION_ALL = 0xff, /* the first that is not a number */
    LVT_NMI = 4 << 8,
    LVT_MASKED = 1 << 16,
    LVT_PERIODIC = 1 << 17,
    DIVIDE_BY_16 = 3,

    BASE_X2APIC = 1 << 10, /* in MSR_APIC_BASE */
    BASE_ENABLE = 1 << 11,

    CPUID_1_EDX_APIC = 1 << 9,
    CPUID_1_EBX_APIC_ID_SHIFT = 24,
};

#define BASE_ADDRESS    0x000ffffffffff000u
#define MSR_X2APIC      0x800u
#define COMMAND_TO_HIGH 32

enum local_apic_limits {
    SEND_POLLS = 100000, /* a message is accepted within microseconds, or never */
    CALIBRATION_US = 5000,
    CALIBRATION_READINGS = 5,
};

static struct {
    bool present;
    bool x2apic;
    volatile uint32_t *registers; /* xAPIC only */
    uint64_t timer_hz;            /* 0: it does not count */
} local_apic;

static uint32_t read_register(uint32_t reg)
{
    if (local_apic.x2apic)
        return (uint32_t)rdmsr(MSR_X2APIC + reg / REGISTER_SPACING);
    return local_apic.registers[reg / 4];
}

static void write_register(uint32_t reg, uint32_t value)
{
    if (local_apic.x2apic)
        wrmsr(MSR_X2APIC + reg / REGISTER_SPACING, value);
    else
        local_apic.registers[reg / 4] = value;
}

static void enable(uint32_t nmi_line)
{
    write_register(SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    write_register(TASK_PRIORITY, 0);
    write_register(LVT_TIMER, LVT_MASKED);
    write_register(LVT_LINT0, LVT_MASKED);
    write_register(LVT_LINT1, nmi_line);
    write_register(LVT_ERROR, LVT_MASKED);
}

/* Find the registers.  False if there is no local APIC. */
static bool find(void)
{
    uint64_t base;

    if (!(cpuid(1, 0).edx & CPUID_1_EDX_APIC))
        return false;
    base = rdmsr(MSR_APIC_BASE);
    local_apic.x2apic = (base & BASE_X2APIC) != 0;
    if (local_apic.x2apic)
        return true;
    wrmsr(MSR_APIC_BASE, base | BASE_ENABLE);
    local_apic.registers = map_device(base & BASE_ADDRESS, REGISTER_BYTES, "local APIC");
    return local_apic.registers != NULL;
}

/* The timer and the clock at one moment, as far as that can be told. */
struct reading {
    uint64_t us;
    uint64_t uncertainty_us;
    uint32_t count; /* counts down */
};

/* An emulator may be held up at any moment: of several readings the surest. */
static struct reading read_clocks(void)
{
    struct reading best = {.uncertainty_us = UINT64_MAX};

    for (int i = 0; i < CALIBRATION_READINGS; i++) {
        struct reading reading = {.us = arch_time_us(), .count = read_register(TIMER_CURRENT)};

        reading.uncertainty_us = arch_time_us() - reading.us;
        if (reading.uncertainty_us < best.uncertainty_us)
            best = reading;
    }
    return best;
}

static uint64_t measure_timer_hz(void)
{
    struct reading first, last;

    write_register(TIMER_DIVIDE, DIVIDE_BY_16);
    write_register(TIMER_INITIAL, UINT32_MAX);
    first = read_clocks();
    do
        last = read_clocks();
    while (last.us - first.us < CALIBRATION_US);
    write_register(TIMER_INITIAL, 0);
    return (first.count - last.count) * 1000000ull / (last.us - first.us);
}

bool local_apic_init(void)
{
    if (!find())
        return false;
    enable(LVT_NMI);
    local_apic.timer_hz = measure_timer_hz();
    local_apic.present = true;
    return true;
}

/* The machine's NMI is the first CPU's alone. */
void local_apic_init_cpu(void)
{
    uint64_t mode = local_apic.x2apic ? BASE_X2APIC | BASE_ENABLE : BASE_ENABLE;

    wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | mode);
    enable(LVT_MASKED);
}

bool local_apic_is_present(void)
{
    return local_apic.present;
}

uint32_t local_apic_id(void)
{
    if (local_apic.x2apic)
        return read_register(ID);
    return cpuid(1, 0).ebx >> CPUID_1_EBX_APIC_ID_SHIFT;
}

bool local_apic_can_reach(uint32_t id)
{
    return local_apic.present && (local_apic.x2apic || id < DESTINATION_ALL);
}

static void wait_until_sent(void)
{
    for (int i = 0; i < SEND_POLLS && (read_register(COMMAND) & COMMAND_PENDING) != 0; i++)
        arch_pause();
}

/* An NMI may come between the two halves, and send something itself: it waits for what is on its
 * way, and leaves the destination as it was. */
static void send_in_halves(uint32_t id, uint32_t command)
{
    uint32_t outer = read_register(COMMAND_DESTINATION);

    wait_until_sent();
    write_register(COMMAND_DESTINATION, id << DESTINATION_SHIFT);
    write_register(COMMAND, command);
    wait_until_sent();
    write_register(COMMAND_DESTINATION, outer);
}

/* MSRs of x2APIC do not wait for earlier stores, which the other CPU is to see (SDM 3A 11.12.3). */
static void send_at_once(uint32_t id, uint32_t command)
{
    __asm__ volatile("mfence; lfence" : : : "memory");
    wrmsr(MSR_X2APIC + COMMAND / REGISTER_SPACING, (uint64_t)id << COMMAND_TO_HIGH | command);
}

void local_apic_send(uint32_t id, uint32_t message)
{
    bool enabled;

    if (!local_apic_can_reach(id))
        return;
    enabled = arch_interrupts_disable();
    if (local_apic.x2apic)
        send_at_once(id, message | COMMAND_ASSERT);
    else
        send_in_halves(id, message | COMMAND_ASSERT);
    if (enabled)
        arch_interrupts_enable();
}

static bool is_in_service(uint32_t vector)
{
    uint32_t reg = IN_SERVICE + vector / 32 * REGISTER_SPACING;

    return (read_register(reg) >> vector % 32 & 1) != 0;
}

void local_apic_done(uint32_t vector)
{
    if (local_apic.present && is_in_service(vector))
        write_register(END_OF_INTERRUPT, 0);
}

bool local_apic_start_timer(unsigned hz, uint8_t vector)
{
    uint64_t count = local_apic.timer_hz / hz;

    if (local_apic.timer_hz == 0 || count > UINT32_MAX)
        return false;
    write_register(TIMER_DIVIDE, DIVIDE_BY_16);
    write_register(LVT_TIMER, LVT_PERIODIC | vector);
    write_register(TIMER_INITIAL, count > 0 ? (uint32_t)count : 1);
    return true;
}
