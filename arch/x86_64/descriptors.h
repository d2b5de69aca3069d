/*
 * descriptors.h - GDT, TSS, IDT of each CPU: what they must hold, where they are.
 */
#ifndef ARCH_X86_64_DESCRIPTORS_H
#define ARCH_X86_64_DESCRIPTORS_H

#include <stdint.h>

/* In the order that SYSCALL and SYSRET want (SDM 2B, SYSRET): user data before user code. */
enum selector {
    SELECTOR_KERNEL_CODE = 0x08,
    SELECTOR_KERNEL_DATA = 0x10,
    SELECTOR_USER_DATA = 0x20 | 3,
    SELECTOR_USER_CODE = 0x28 | 3,
    SELECTOR_TSS = 0x30,
};

/* Interrupt stack table slots (SDM 3A 6.14.5): vectors whose stack must be good whatever the
 * interrupted one is.  Column `ist` of vectors.def. */
enum ist {
    IST_NONE = 0,
    IST_NMI = 1,
    IST_DOUBLE_FAULT = 2,
    IST_MACHINE_CHECK = 3,
    IST_DEBUG = 4,
    IST_BREAKPOINT = 5,
    IST_SLOTS = 5,
};

/* Load this CPU's own tables; it is number `cpu` from then on (arch_cpu_id).  Its stacks must be
 * mapped. */
void descriptors_load(unsigned cpu);

/* Where this CPU's stack pointer is set when user code traps. */
void descriptors_set_kernel_stack(uint64_t top);

/* SDM 3A figure 8-11. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3A figure 8-11");

/* One CPU's tables.  arch_cpu_id() finds the CPU by where its GDT is, and is asked often: their
 * size is a power of two.  In the kernel, GS points here. */
struct cpu_tables {
    uint64_t gdt[8];
    struct tss tss;
    uint64_t user_rsp; /* syscall_entry's, for a moment */
} __attribute__((aligned(256)));

#endif
