/*
 * live.c - reads and writes the CPU's own registers.  Refuses what the kernel would not survive.
 */
#include "live.h"

#include "instructions.h"

static uint64_t read_fs_base(void)
{
    return rdmsr(MSR_FS_BASE);
}

static uint64_t read_gs_base(void)
{
    return rdmsr(MSR_GS_BASE);
}

static uint64_t read_k_gs_base(void)
{
    return rdmsr(MSR_KERNEL_GS_BASE);
}

static uint64_t read_efer(void)
{
    return rdmsr(MSR_EFER);
}

static uint64_t read_gdtr(void)
{
    return sgdt().base;
}

static uint64_t read_gdtr_limit(void)
{
    return sgdt().limit;
}

static uint64_t read_idtr(void)
{
    return sidt().base;
}

static uint64_t read_idtr_limit(void)
{
    return sidt().limit;
}

static void write_efer(uint64_t value)
{
    wrmsr(MSR_EFER, value);
}

static void write_fs_base(uint64_t value)
{
    wrmsr(MSR_FS_BASE, value);
}

static void write_gs_base(uint64_t value)
{
    wrmsr(MSR_GS_BASE, value);
}

static void write_k_gs_base(uint64_t value)
{
    wrmsr(MSR_KERNEL_GS_BASE, value);
}

/* What may be changed there: the rest ends the kernel, or what it relies on (SDM 3A 2.5). */
enum changeable_bits {
    CR0_CHANGEABLE = 1 << 16 | 1 << 18, /* WP, AM */
    CR4_CHANGEABLE = 1 << 2 | 1 << 8,   /* TSD, PCE */
    CR8_CHANGEABLE = 0xf,
    EFER_CHANGEABLE = 1 << 0, /* SCE */
};

static const struct {
    uint64_t (*read)(void);
    void (*write)(uint64_t value);
    uint64_t changeable; /* bits */
} table[] = {
    [LIVE_ds] = {read_ds, NULL, 0},
    [LIVE_es] = {read_es, NULL, 0},
    [LIVE_fs] = {read_fs, NULL, 0},
    [LIVE_gs] = {read_gs, NULL, 0},
    [LIVE_fs_base] = {read_fs_base, write_fs_base, UINT64_MAX},
    [LIVE_gs_base] = {read_gs_base, write_gs_base, UINT64_MAX},
    [LIVE_k_gs_base] = {read_k_gs_base, write_k_gs_base, UINT64_MAX},
    [LIVE_cr0] = {read_cr0, write_cr0, CR0_CHANGEABLE},
    [LIVE_cr2] = {read_cr2, write_cr2, UINT64_MAX},
    [LIVE_cr3] = {read_cr3, NULL, 0},
    [LIVE_cr4] = {read_cr4, write_cr4, CR4_CHANGEABLE},
    [LIVE_cr8] = {read_cr8, write_cr8, CR8_CHANGEABLE},
    [LIVE_efer] = {read_efer, write_efer, EFER_CHANGEABLE},
    [LIVE_gdtr] = {read_gdtr, NULL, 0},
    [LIVE_gdtr_limit] = {read_gdtr_limit, NULL, 0},
    [LIVE_idtr] = {read_idtr, NULL, 0},
    [LIVE_idtr_limit] = {read_idtr_limit, NULL, 0},
    [LIVE_tr] = {str, NULL, 0},
};

uint64_t live_read(enum live which)
{
    return table[which].read();
}

bool live_write(enum live which, const void *value, size_t bytes)
{
    uint64_t word = 0;

    __builtin_memcpy(&word, value, bytes);
    uint64_t change = word ^ table[which].read();
    if (change == 0)
        return true;
    if ((change & ~table[which].changeable) != 0)
        return false;
    table[which].write(word);
    return true;
}
