/*
 * layout.c - the offsets and constants that assembly needs, as seen by the C compiler.
 *
 * Compiled to assembly, never linked: layout.py reads the "@ name value" lines out of it.  Holds
 * no number of its own.
 */
#include <stddef.h>

#include "arch/arch.h"
#include "arch/x86_64/calls.h"
#include "arch/x86_64/descriptors.h"
#include "arch/x86_64/frame.h"
#include "arch/x86_64/interrupts.h"
#include "arch/x86_64/memory_layout.h"
#include "arch/x86_64/smp.h"

#define EXPORT(name, value)   __asm__ volatile(".ascii \"@ " #name " %c0\"" : : "i"(value))
#define GUARD(name, field)    EXPORT(GUARD_##name, offsetof(struct guard_context, field))
#define AP_START(name, field) EXPORT(AP_START_##name, offsetof(struct ap_start, field))

/* One bit for each vector whose error code the processor pushes. */
#define VECTOR(number, mnemonic, name, has_error, class, kind, ist) | (unsigned)has_error << number
enum vector_mask {
    VECTOR_ERROR_MASK = 0
#include "arch/x86_64/vectors.def"
};

void layout(void);
void layout(void)
{
    EXPORT(FRAME_SIZE, sizeof(struct trap_frame));
    EXPORT(FRAME_CS, offsetof(struct trap_frame, cs));
    EXPORT(FRAME_VECTOR, offsetof(struct trap_frame, vector));
    EXPORT(TABLES_KERNEL_RSP, offsetof(struct cpu_tables, tss.rsp));
    EXPORT(TABLES_USER_RSP, offsetof(struct cpu_tables, user_rsp));

    GUARD(RBX, rbx);
    GUARD(RBP, rbp);
    GUARD(R12, r12);
    GUARD(R13, r13);
    GUARD(R14, r14);
    GUARD(R15, r15);
    GUARD(RSP, rsp);

    AP_START(CR0, cr0);
    AP_START(CR4, cr4);
    AP_START(EFER, efer);
    AP_START(ROOT, root);
    AP_START(STACK, stack_top);
    AP_START(CPU, cpu);
    EXPORT(AP_TRAMPOLINE_BYTES, AP_TRAMPOLINE_BYTES);

    EXPORT(VECTOR_ERROR_MASK, VECTOR_ERROR_MASK);
    EXPORT(VECTOR_PANIC, ARCH_VECTOR_PANIC);
    EXPORT(VECTOR_SYSTEM_CALL, VECTOR_SYSTEM_CALL);
    EXPORT(VECTOR_YIELD, VECTOR_YIELD);
    EXPORT(SELECTOR_KERNEL_CODE, SELECTOR_KERNEL_CODE);
    EXPORT(SELECTOR_KERNEL_DATA, SELECTOR_KERNEL_DATA);
    EXPORT(SELECTOR_USER_CODE, SELECTOR_USER_CODE);
    EXPORT(SELECTOR_USER_DATA, SELECTOR_USER_DATA);
    EXPORT(KERNEL_BASE, KERNEL_BASE);
}
