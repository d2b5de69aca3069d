/*
 * context.h - what is behind a struct arch_context.
 */
#ifndef ARCH_X86_64_CONTEXT_H
#define ARCH_X86_64_CONTEXT_H

#include "arch/arch.h"
#include "x87.h"

struct context {
    struct fpu_image fpu; /* as fxsave has it */
    uint64_t fs_base;
    uint64_t gs_base; /* the user's: of a kernel thread, the one it would see there */
    uint16_t ds, es, fs, gs;
};
_Static_assert(sizeof(struct context) <= sizeof(struct arch_context), "ARCH_CONTEXT_BYTES");

static inline struct context *context_of(struct arch_context *context)
{
    return (struct context *)(void *)context;
}

#endif
