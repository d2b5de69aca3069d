/*
 * boot_id.c - makes the number that tells this boot from any other.
 *
 * Not a secret: where the processor has no random numbers it is the time stamp counter, the date
 * and the boot information, well mixed.
 */
#include "boot_id.h"

#include <stdbool.h>

#include "arch/arch.h"
#include "instructions.h"

enum cmos {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    CMOS_DATE_BYTES = 10, /* seconds to year */

    CPUID_1_ECX_RDRAND = 1 << 30,
    RDRAND_TRIES = 10, /* SDM 1, 7.3.17.1 */
};

static uint64_t boot_id[CRASH_BOOT_ID_BYTES / sizeof(uint64_t)];

static bool rdrand(uint64_t *value)
{
    bool done;

    __asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(done));
    return done;
}

/* Change every bit of the number with even odds for each bit of `word`: multiplications and shifts
 * that can be undone, so nothing that was mixed in before is lost. */
static void stir(uint64_t word)
{
    for (size_t i = 0; i < sizeof(boot_id) / sizeof(boot_id[0]); i++) {
        uint64_t x = (boot_id[i] ^ word) + 0x9e3779b97f4a7c15u * (i + 1);

        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        boot_id[i] = x ^ x >> 31;
    }
}

static void mix_random(void)
{
    uint64_t value;

    if (!(cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND))
        return;
    for (int tries = 0; tries < RDRAND_TRIES; tries++) {
        if (rdrand(&value))
            stir(value);
    }
}

static void mix_date(void)
{
    for (unsigned i = 0; i < CMOS_DATE_BYTES; i++) {
        outb(CMOS_INDEX, (uint8_t)i);
        stir(inb(CMOS_DATA));
    }
}

void boot_id_init(const void *seed, size_t len)
{
    const uint8_t *bytes = seed;

    for (size_t i = 0; i < len; i++)
        stir(bytes[i]);
    mix_date();
    mix_random();
    stir(rdtsc());
}

void arch_boot_id(uint8_t id[CRASH_BOOT_ID_BYTES])
{
    __builtin_memcpy(id, boot_id, sizeof(boot_id));
}
