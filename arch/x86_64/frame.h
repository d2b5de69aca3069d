/*
 * frame.h - the saved registers of whatever was interrupted: the one context format.
 *
 * Pushed downwards, so the struct reads from the last push to the first.  entry.asm compares its
 * pushes with the size in build/layout.inc, which is generated from this file.
 */
#ifndef ARCH_X86_64_FRAME_H
#define ARCH_X86_64_FRAME_H

#include <stdint.h>

struct trap_frame {
    uint64_t r15, r14, r13, r12; /* pushed by trap_common */
    uint64_t rbp, rbx;           /* pushed by trap_common */
    uint64_t r11, r10, r9, r8;   /* pushed by trap_common */
    uint64_t rax, rcx, rdx;      /* pushed by trap_common */
    uint64_t rsi, rdi;           /* pushed by trap_common */
    uint64_t vector;             /* pushed by the stub */
    uint64_t error;              /* pushed by the processor, or 0 by the stub */
    uint64_t rip;                /* pushed by the processor */
    uint64_t cs;                 /* pushed by the processor */
    uint64_t rflags;             /* pushed by the processor */
    uint64_t rsp;                /* pushed by the processor */
    uint64_t ss;                 /* pushed by the processor */
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "entry.asm pushes 22 quadwords");

#endif
