/*
 * live.h - the registers that are this CPU's own, not in any frame.
 */
#ifndef ARCH_X86_64_LIVE_H
#define ARCH_X86_64_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum live {
    LIVE_ds,
    LIVE_es,
    LIVE_fs,
    LIVE_gs,
    LIVE_fs_base,
    LIVE_gs_base,
    LIVE_k_gs_base,
    LIVE_cr0,
    LIVE_cr2,
    LIVE_cr3,
    LIVE_cr4,
    LIVE_cr8,
    LIVE_efer,
    LIVE_gdtr,
    LIVE_gdtr_limit,
    LIVE_idtr,
    LIVE_idtr_limit,
    LIVE_tr,
    LIVE_COUNT,
};

uint64_t live_read(enum live which);

/* Write `bytes` bytes.  False, with nothing written, if that would end the kernel. */
bool live_write(enum live which, const void *value, size_t bytes);

#endif
