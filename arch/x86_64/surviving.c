/*
 * surviving.c - memory that outlives a reset: a fixed place, where neither firmware nor boot
 * loaders leave anything, and that every boot of this kernel keeps free.
 *
 * The same place in every build, because the next boot may be another one's.
 */
#include "surviving.h"

#include "arch/arch.h"
#include "instructions.h"
#include "memory_layout.h"

enum surviving_cpuid {
    CPUID_1_EDX_CLFLUSH = 1 << 19,
    CPUID_1_EBX_CLFLUSH_SHIFT = 8, /* size of a cache line, in units of 8 bytes */
};

extern const uint8_t __image_end[];

static bool overlaps(uint64_t start, uint64_t end)
{
    return start < SURVIVING_END && end > SURVIVING_START;
}

static bool is_usable_memory(const struct arch_boot_info *info)
{
    for (size_t i = 0; i < info->range_count; i++) {
        if (info->ranges[i].kind == ARCH_MEMORY_USABLE &&
            info->ranges[i].start <= SURVIVING_START && info->ranges[i].end >= SURVIVING_END)
            return true;
    }
    return false;
}

void *arch_surviving_memory(size_t *bytes)
{
    const struct arch_boot_info *info = arch_boot_info();

    if (!is_usable_memory(info) || image_physical(__image_end) > SURVIVING_START)
        return NULL;
    for (size_t i = 0; i < info->module_count; i++) {
        if (overlaps(info->modules[i].start, info->modules[i].end))
            return NULL;
    }
    *bytes = SURVIVING_END - SURVIVING_START;
    return direct(SURVIVING_START);
}

uint64_t arch_direct_address(uint64_t physical)
{
    return DIRECT_MAP + physical;
}

void arch_flush_memory(const void *start, size_t len)
{
    struct cpuid regs = cpuid(1, 0);
    uint64_t line = (regs.ebx >> CPUID_1_EBX_CLFLUSH_SHIFT & 0xff) * 8;
    uint64_t at = (uint64_t)(uintptr_t)start, end = at + len;

    if ((regs.edx & CPUID_1_EDX_CLFLUSH) == 0 || line == 0) {
        wbinvd();
        return;
    }
    memory_fence();
    for (at -= at % line; at < end; at += line)
        clflush(at);
    memory_fence(); /* SDM 2A, CLFLUSH: ordered by this alone */
}
