/*
 * inspect.c - what people at a debugger want to see of the processor and its tables.  Changes
 * nothing but what it is told to write.
 */
#include "arch/arch.h"
#include "arch/inspect.h"
#include "instructions.h"
#include "memory_layout.h"

enum table_sizes {
    PAGE_BITS = 12,
    LEVEL_BITS = 9,
    DESCRIPTOR_BYTES = 8,
    GATE_BYTES = 16,
};

enum page_bits {
    PAGE_PRESENT = 1 << 0,
    PAGE_WRITE = 1 << 1,
    SYSTEM_SEGMENT = 1 << 12, /* S, inverted, of a descriptor's upper half (SDM 3A 3.4.5) */
};

/* boot.asm */
extern const uint8_t multiboot2_start[];
const uint64_t arch_entry = (uint64_t)(uintptr_t)multiboot2_start;

size_t arch_copy_physical(void *to, uint64_t physical, size_t len)
{
    return physical < BOOT_MAPPED << 16 ? arch_copy(to, direct(physical), len) : 0;
}

/* ---- Page tables ---- */

/* What all entries on the way allow together (SDM 3A 4.6). */
static unsigned access_of(const struct crash_walk *walk)
{
    unsigned access = GDBSTUB_READ | GDBSTUB_WRITE | GDBSTUB_EXECUTE;

    for (unsigned i = 0; i < walk->read; i++) {
        if ((walk->entries[i] & PAGE_WRITE) == 0)
            access &= ~(unsigned)GDBSTUB_WRITE;
        if (walk->entries[i] >> 63 != 0)
            access &= ~(unsigned)GDBSTUB_EXECUTE;
    }
    return access;
}

bool arch_memory_region(uint64_t address, struct gdbstub_range *range)
{
    struct crash_walk walk;

    arch_walk(address, &walk);
    if (!walk.canonical || walk.read == 0)
        return false;
    unsigned shift = PAGE_BITS + LEVEL_BITS * (unsigned)(walk.levels - walk.read);
    *range = (struct gdbstub_range){
        .start = address >> shift << shift,
        .length = (uint64_t)1 << shift,
        .access = walk.mapped ? access_of(&walk) : 0,
    };
    return true;
}

/* ---- Registers and ports ---- */

uint64_t arch_read_msr(uint32_t number)
{
    return rdmsr(number);
}

uint32_t arch_read_port(uint16_t port, unsigned bytes)
{
    uint32_t value = 0;

    if (bytes == 1)
        return inb(port);
    if (bytes == 2)
        __asm__ volatile("inw %w1, %w0" : "+a"(value) : "Nd"(port));
    else
        __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

void arch_write_port(uint16_t port, unsigned bytes, uint32_t value)
{
    if (bytes == 1)
        outb(port, (uint8_t)value);
    else if (bytes == 2)
        __asm__ volatile("outw %w0, %w1" : : "a"(value), "Nd"(port));
    else
        outl(port, value);
}

/* ---- Descriptors ---- */

/* Word `n` of a table.  False past its limit, and where there is no memory. */
static bool read_word(const struct descriptor_pointer *table, uint64_t n, uint64_t *word)
{
    return (n + 1) * sizeof(*word) - 1 <= table->limit &&
           arch_copy_from(word, table->base + n * sizeof(*word), sizeof(*word)) == sizeof(*word);
}

bool arch_gate(unsigned vector, struct arch_gate *gate)
{
    const struct descriptor_pointer idt = sidt();
    uint64_t low, high;

    if (!read_word(&idt, 2 * (uint64_t)vector, &low) ||
        !read_word(&idt, 2 * (uint64_t)vector + 1, &high))
        return false;
    *gate = (struct arch_gate){
        .handler = (low & 0xffff) | (low >> 32 & 0xffff0000) | high << 32,
        .selector = low >> 16 & 0xffff,
        .stack = low >> 32 & 7,
        .type = low >> 40 & 0xf,
        .level = low >> 45 & 3,
        .present = (low >> 47 & 1) != 0,
    };
    return true;
}

bool arch_segment(unsigned n, unsigned *selector, uint64_t words[2])
{
    const struct descriptor_pointer gdt = sgdt();
    uint64_t at = 0;

    for (;; n--) {
        words[1] = 0;
        if (!read_word(&gdt, at, &words[0]))
            return false;
        bool wide = words[0] != 0 && (words[0] >> 32 & SYSTEM_SEGMENT) == 0;
        if (wide && !read_word(&gdt, at + 1, &words[1]))
            return false;
        *selector = (unsigned)(at * DESCRIPTOR_BYTES);
        if (n == 0)
            return true;
        at += wide ? 2 : 1;
    }
}

/* ---- Across a reset ---- */

/* Memory below 60 MiB survives a reset, and frames are taken from the top. */
struct kept {
    uint32_t mark, word, inverted;
};
#define KEPT_PHYSICAL 0x1fff000u
#define KEPT_MARK     0x4b455054u

void arch_keep_word(uint32_t word)
{
    const struct kept kept = {KEPT_MARK, word, ~word};

    (void)arch_copy(direct(KEPT_PHYSICAL), &kept, sizeof(kept));
}

uint32_t arch_take_word(void)
{
    static const struct kept none;
    struct kept kept;

    if (arch_copy(&kept, direct(KEPT_PHYSICAL), sizeof(kept)) < sizeof(kept) ||
        kept.mark != KEPT_MARK || kept.word != ~kept.inverted)
        return 0;
    (void)arch_copy(direct(KEPT_PHYSICAL), &none, sizeof(none));
    return kept.word;
}
