/*
 * syscalls.c - how user code calls: SYSCALL's registers, and which register holds what.
 *
 * The number is in rax, as is the result; the arguments are in rdi, rsi, rdx, r10, r8, r9, because
 * SYSCALL takes rcx and r11 for itself.  What the calls do is the kernel's matter.
 */
#include "syscalls.h"

#include "arch/arch.h"
#include "descriptors.h"
#include "frame.h"
#include "instructions.h"
#include "interrupts.h"

#define EFER_SCE ((uint64_t)1 << 0)

enum syscall_bits {
    STAR_KERNEL_SHIFT = 32, /* selector of the kernel's code; its data follow */
    STAR_USER_SHIFT = 48,   /* of the user's data and code, less 8 and 16, for SYSRET */

    /* Cleared in rflags on the way in: TF IF DF IOPL NT AC. */
    FLAGS_CLEARED = 1 << 8 | 1 << 9 | 1 << 10 | 3 << 12 | 1 << 14 | 1 << 18,
};

extern const uint8_t syscall_entry[];

void init_syscalls(void)
{
    wrmsr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << STAR_KERNEL_SHIFT |
                        (uint64_t)(SELECTOR_USER_DATA - 8) << STAR_USER_SHIFT);
    wrmsr(MSR_LSTAR, (uint64_t)(uintptr_t)syscall_entry);
    wrmsr(MSR_FMASK, FLAGS_CLEARED);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
}

uint64_t arch_syscall_number(const struct trap_frame *frame)
{
    return frame->rax;
}

uint64_t arch_syscall_argument(const struct trap_frame *frame, unsigned n)
{
    const uint64_t arguments[ARCH_SYSCALL_ARGUMENTS] = {frame->rdi, frame->rsi, frame->rdx,
                                                        frame->r10, frame->r8,  frame->r9};

    return arguments[n];
}

void arch_syscall_return(struct trap_frame *frame, int64_t result)
{
    frame->rax = (uint64_t)result;
}
