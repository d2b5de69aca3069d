/*
 * time.c - microseconds since boot, from the time stamp counter (SDM 3B 18.17).
 *
 * Calibrated once and not corrected afterwards: it orders events, it is not a wall clock.
 */
#include "arch/arch.h"
#include "instructions.h"

enum time_cpuid {
    CPUID_TSC = 0x15,                  /* ratio and frequency of the crystal */
    CPUID_HYPERVISOR = 0x40000000,     /* highest leaf of the hypervisor */
    CPUID_HYPERVISOR_TSC = 0x40000010, /* kHz, by VMware's convention that KVM follows */
};

/* Intel 8254 data sheet. */
enum pit_numbers {
    PIT_HZ = 1193182,
    PIT_CHANNEL_2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_CHANNEL_2_ONCE = 0xb0, /* both bytes, mode 0: out rises when the count is over */

    SPEAKER = 0x61,
    SPEAKER_GATE = 1 << 0,
    SPEAKER_ON = 1 << 1,
    SPEAKER_PIT_OUT = 1 << 5,
};

enum calibration {
    CALIBRATION_TICKS = PIT_HZ / 500, /* 2 ms */
    CALIBRATION_ROUNDS = 3,
};

#define CPUID_1_ECX_HYPERVISOR (1u << 31) /* too large for an enum of ISO C */

/* Frequencies that are believed; the slowest makes the longest wait for a dead PIT 2 s. */
#define MIN_HZ      100000000u
#define MAX_HZ      20000000000u
#define FALLBACK_HZ 1000000000u
#define MAX_WAIT    (MIN_HZ * 2u)

static struct {
    uint64_t start; /* the counter, at boot */
    uint64_t scale; /* microseconds per tick, as a fraction of 2^64; 0: not calibrated */
} clock;

static uint64_t hz_from_cpuid(void)
{
    struct cpuid regs;

    if (cpuid(0, 0).eax >= CPUID_TSC) {
        regs = cpuid(CPUID_TSC, 0);
        if (regs.eax && regs.ebx && regs.ecx)
            return (uint64_t)regs.ecx * regs.ebx / regs.eax;
    }
    if ((cpuid(1, 0).ecx & CPUID_1_ECX_HYPERVISOR) &&
        cpuid(CPUID_HYPERVISOR, 0).eax >= CPUID_HYPERVISOR_TSC)
        return cpuid(CPUID_HYPERVISOR_TSC, 0).eax * 1000ull;
    return 0;
}

/* Counter ticks while the PIT's second channel counts down once. */
static uint64_t measure_once(void)
{
    uint64_t begin, elapsed;

    outb(SPEAKER, (uint8_t)((inb(SPEAKER) & ~SPEAKER_ON) | SPEAKER_GATE));
    outb(PIT_COMMAND, PIT_CHANNEL_2_ONCE);
    outb(PIT_CHANNEL_2, CALIBRATION_TICKS & 0xff);
    begin = rdtsc();
    outb(PIT_CHANNEL_2, CALIBRATION_TICKS >> 8);
    do
        elapsed = rdtsc() - begin;
    while (!(inb(SPEAKER) & SPEAKER_PIT_OUT) && elapsed < MAX_WAIT);
    return elapsed;
}

/* A round that was disturbed is too long, never too short. */
static uint64_t hz_from_pit(void)
{
    uint64_t shortest = UINT64_MAX;

    for (int round = 0; round < CALIBRATION_ROUNDS; round++) {
        uint64_t elapsed = measure_once();

        if (elapsed < shortest)
            shortest = elapsed;
    }
    return shortest * PIT_HZ / CALIBRATION_TICKS;
}

static bool is_plausible(uint64_t hz)
{
    return hz >= MIN_HZ && hz <= MAX_HZ;
}

void arch_init_time(void)
{
    uint64_t hz;

    clock.start = rdtsc();
    hz = hz_from_cpuid();
    if (!is_plausible(hz))
        hz = hz_from_pit();
    if (!is_plausible(hz))
        hz = FALLBACK_HZ;
    clock.scale = UINT64_MAX / hz * 1000000u;
}

uint64_t arch_time_us(void)
{
    __extension__ unsigned __int128 product =
        (unsigned __int128)(rdtsc() - clock.start) * clock.scale;

    return (uint64_t)(product >> 64);
}
