/*
 * time.c - microseconds since boot, from the time stamp counter (SDM 3B 18.17); and patience.
 *
 * Calibrated once and not corrected afterwards: it orders events, it is not a wall clock.
 */
#include "arch/arch.h"
#include "instructions.h"
#include "pit.h"

enum time_cpuid {
    CPUID_TSC = 0x15,                  /* ratio and frequency of the crystal */
    CPUID_HYPERVISOR = 0x40000000,     /* highest leaf of the hypervisor */
    CPUID_HYPERVISOR_TSC = 0x40000010, /* kHz, by VMware's convention that KVM follows */
};

/* Its channel 2, which counts without interrupting anybody. */
enum pit_channel_2 {
    PIT_CHANNEL_2 = 0x42,
    PIT_CHANNEL_2_ONCE = 0xb0, /* both bytes, mode 0: out rises when the count is over */
    PIT_CHANNEL_2_LATCH = 0x80,
    PIT_LONGEST = 0xffff, /* 55 ms */

    SPEAKER = 0x61,
    SPEAKER_GATE = 1 << 0,
    SPEAKER_ON = 1 << 1,
    SPEAKER_PIT_OUT = 1 << 5,
};

enum calibration {
    CALIBRATION_TICKS = PIT_HZ / 200, /* 5 ms */
    CALIBRATION_TRIES = 3,
    CALIBRATION_READINGS = 5,
};

#define CPUID_1_ECX_HYPERVISOR (1u << 31) /* too large for an enum of ISO C */

/* Frequencies that are believed.  The fastest bounds how long a dead PIT is waited for. */
#define MIN_HZ      100000000u
#define MAX_HZ      20000000000u
#define FALLBACK_HZ 1000000000u

enum waiting {
    LONGEST_LOOK_US = 100, /* between two: what is longer, this CPU was held up itself */
};

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

static void start_pit(void)
{
    outb(SPEAKER, (uint8_t)((inb(SPEAKER) & ~SPEAKER_ON) | SPEAKER_GATE));
    outb(PIT_COMMAND, PIT_CHANNEL_2_ONCE);
    outb(PIT_CHANNEL_2, PIT_LONGEST & 0xff);
    outb(PIT_CHANNEL_2, PIT_LONGEST >> 8);
    inb(SPEAKER); /* takes a microsecond: counting has begun */
}

/* Both clocks at one moment, as far as that can be told. */
struct reading {
    uint64_t tsc;
    uint64_t uncertainty; /* of tsc */
    uint16_t pit;         /* counts down */
};

static struct reading read_once(void)
{
    struct reading reading = {.tsc = rdtsc()};
    uint8_t low;

    outb(PIT_COMMAND, PIT_CHANNEL_2_LATCH);
    reading.uncertainty = rdtsc() - reading.tsc;
    low = inb(PIT_CHANNEL_2);
    reading.pit = (uint16_t)(inb(PIT_CHANNEL_2) << 8 | low);
    return reading;
}

/* An emulator may be held up at any moment: of several readings the surest. */
static struct reading read_clocks(void)
{
    struct reading best = read_once();

    for (int i = 1; i < CALIBRATION_READINGS; i++) {
        struct reading reading = read_once();

        if (reading.uncertainty < best.uncertainty)
            best = reading;
    }
    return best;
}

/* 0: it does not count, or did so for too long before it was looked at again. */
static uint64_t hz_from_pit(void)
{
    struct reading first, last;
    uint64_t ticks;
    uint16_t pit_ticks;

    start_pit();
    first = read_clocks();
    do {
        last = read_clocks();
        ticks = last.tsc - first.tsc;
        pit_ticks = (uint16_t)(first.pit - last.pit);
    } while (pit_ticks < CALIBRATION_TICKS && ticks < MAX_HZ / PIT_HZ * CALIBRATION_TICKS);
    if ((inb(SPEAKER) & SPEAKER_PIT_OUT) || pit_ticks < CALIBRATION_TICKS)
        return 0;
    return ticks * PIT_HZ / pit_ticks;
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
    for (int tries = 0; tries < CALIBRATION_TRIES && !is_plausible(hz); tries++)
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

struct arch_wait arch_wait_for(uint64_t limit_us)
{
    return (struct arch_wait){.looked_us = arch_time_us(), .left_us = limit_us};
}

bool arch_wait_on(struct arch_wait *wait)
{
    uint64_t now_us, passed_us;

    arch_pause();
    now_us = arch_time_us();
    passed_us = now_us - wait->looked_us;
    if (passed_us > LONGEST_LOOK_US)
        passed_us = LONGEST_LOOK_US;
    wait->looked_us = now_us;
    wait->left_us -= passed_us < wait->left_us ? passed_us : wait->left_us;
    return wait->left_us > 0;
}
