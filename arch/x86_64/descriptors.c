/*
 * descriptors.c - fills in and loads GDT, TSS and IDT (SDM 3A chapters 3, 6, 8).
 */
#include "descriptors.h"

#include "arch/arch.h"
#include "calls.h"
#include "instructions.h"
#include "interrupts.h"
#include "regions.h"
#include "stacks.h"
#include "syscalls.h"

enum descriptor_limits {
    VECTORS = 256,
    STUB_BYTES = 16, /* entry.asm */
};

/* SDM 3A figure 6-8: a 64-bit gate. */
struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type; /* present, privilege level, type */
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 3A figure 6-8");

enum gate_type {
    GATE_INTERRUPT = 0x8e, /* present, DPL 0, clears IF */
    GATE_USER = 0x60,      /* DPL 3: user code may raise it itself */
};

/* Segment descriptors of 64-bit mode (SDM 3A 3.4.5): base and limit are ignored. */
#define KERNEL_CODE_DESCRIPTOR 0x00af9b000000ffffu
#define KERNEL_DATA_DESCRIPTOR 0x00cf93000000ffffu
#define USER_DATA_DESCRIPTOR   0x00cff3000000ffffu
#define USER_CODE_DESCRIPTOR   0x00affb000000ffffu
#define TSS_AVAILABLE          0x0000890000000000u

static struct cpu_tables tables[ARCH_CPUS];
static struct gate idt[VECTORS] __attribute__((aligned(16)));

extern const uint8_t trap_stubs[];

static const uint8_t vector_ist[] = {
#define VECTOR(number, mnemonic, name, error, class, kind, ist) [number] = IST_##ist,
#include "vectors.def"
#undef VECTOR
};

static void set_tss_descriptor(uint64_t *gdt, const struct tss *tss)
{
    uint64_t base = (uint64_t)(uintptr_t)tss;

    gdt[SELECTOR_TSS / 8] =
        TSS_AVAILABLE | (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void set_gate(unsigned vector)
{
    uint64_t stub = (uint64_t)(uintptr_t)(trap_stubs + (size_t)vector * STUB_BYTES);
    bool user_may_raise = vector == 3 || vector == VECTOR_SYSTEM_CALL; /* 3: int3 */

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)stub,
        .selector = SELECTOR_KERNEL_CODE,
        .ist = vector < sizeof(vector_ist) ? vector_ist[vector] : IST_NONE,
        .type = (uint8_t)(GATE_INTERRUPT | (user_may_raise ? GATE_USER : 0)),
        .offset_middle = (uint16_t)(stub >> 16),
        .offset_high = (uint32_t)(stub >> 32),
    };
}

static void fill_gdt(struct cpu_tables *cpu)
{
    cpu->gdt[SELECTOR_KERNEL_CODE / 8] = KERNEL_CODE_DESCRIPTOR;
    cpu->gdt[SELECTOR_KERNEL_DATA / 8] = KERNEL_DATA_DESCRIPTOR;
    cpu->gdt[SELECTOR_USER_DATA / 8] = USER_DATA_DESCRIPTOR;
    cpu->gdt[SELECTOR_USER_CODE / 8] = USER_CODE_DESCRIPTOR;
    set_tss_descriptor(cpu->gdt, &cpu->tss);
}

static void fill_tss(struct tss *tss, unsigned cpu)
{
    for (unsigned slot = 1; slot <= IST_SLOTS; slot++)
        tss->ist[slot - 1] = ist_stack_top(cpu, slot);
    tss->rsp[0] = purpose_stack_top(cpu, ARCH_STACK_FATAL); /* until threads bring their own */
    tss->io_map = sizeof(*tss);                             /* no port is open to user code */
}

void descriptors_load(unsigned cpu)
{
    struct cpu_tables *own = &tables[cpu];
    const struct descriptor_pointer gdt_pointer = {sizeof(own->gdt) - 1,
                                                   (uint64_t)(uintptr_t)own->gdt};
    const struct descriptor_pointer idt_pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};

    fill_gdt(own);
    fill_tss(&own->tss, cpu);
    lgdt(&gdt_pointer);
    reload_segments();
    ltr(SELECTOR_TSS);
    lldt(0); /* user code must find nothing through it */
    lidt(&idt_pointer);
    wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)own);
    init_syscalls();
}

void arch_init_traps(void)
{
    stacks_init(); /* inside the data section: the first match counts */
    regions_add_image();
    for (unsigned vector = 0; vector < VECTORS; vector++)
        set_gate(vector);
    descriptors_load(0);
}

void descriptors_set_kernel_stack(uint64_t top)
{
    tables[arch_cpu_id()].tss.rsp[0] = top;
}

/* By the GDT's place, because GS, the usual way, is what a broken kernel may have lost. */
__attribute__((no_stack_protector)) unsigned arch_cpu_id(void)
{
    uint64_t base = sgdt().base - (uint64_t)(uintptr_t)tables;
    uint64_t cpu = base / sizeof(tables[0]);

    return cpu < ARCH_CPUS ? (unsigned)cpu : 0;
}
