/*
 * describe.c - error codes in words (SDM 3A 4.7, 6.13).  Text only: no policy, no output.
 */
#include "arch/arch.h"

/* Text that is being built: cut, never overrun. */
struct text {
    char *at;
    size_t left; /* room, with the NUL */
};

static void add(struct text *text, const char *words)
{
    while (*words != '\0' && text->left > 1) {
        *text->at++ = *words++;
        text->left--;
    }
    *text->at = '\0';
}

static void add_hex(struct text *text, uint64_t value)
{
    char digits[19] = "0x";
    size_t count = 2;
    unsigned shift = 60;

    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (;; shift -= 4) {
        digits[count++] = "0123456789abcdef"[value >> shift & 15];
        if (shift == 0)
            break;
    }
    digits[count] = '\0';
    add(text, digits);
}

static void describe_page_fault(const struct trap *trap, struct text *text)
{
    unsigned access = trap->access;

    if ((access & TRAP_ACCESS_EXECUTE) != 0)
        add(text, "instruction fetch from ");
    else
        add(text, (access & TRAP_ACCESS_WRITE) != 0 ? "write to " : "read of ");
    add_hex(text, trap->address);
    add(text, (access & TRAP_ACCESS_USER) != 0 ? " by user code: " : " by the kernel: ");
    if ((access & TRAP_ACCESS_RESERVED) != 0)
        add(text, "reserved bits set in the page tables");
    else if ((access & TRAP_ACCESS_OTHER) != 0)
        add(text, "refused by a protection key or shadow stack rule");
    else
        add(text, (access & TRAP_ACCESS_PRESENT) != 0 ? "the page forbids it" : "no page there");
}

/* The error code names a selector (SDM 3A figure 6-7): EXT, IDT, TI, index. */
static void describe_selector(uint64_t error, struct text *text)
{
    static const char *const tables[] = {"GDT", "IDT", "LDT", "IDT"};

    if (error == 0)
        return;
    add(text, "selector ");
    add_hex(text, error & 0xfff8);
    add(text, " in the ");
    add(text, tables[error >> 1 & 3]);
    add(text, ", index ");
    add_hex(text, error >> 3 & 0x1fff);
    if ((error & 1) != 0)
        add(text, ", while delivering another event");
}

static bool has_selector_error(uint32_t vector)
{
    enum { TS = 10, NP = 11, SS = 12, GP = 13 };

    return vector == TS || vector == NP || vector == SS || vector == GP;
}

void arch_describe_trap(const struct trap *trap, char *text, size_t size)
{
    struct text builder = {text, size};

    if (size == 0)
        return;
    text[0] = '\0';
    if (trap->message != NULL)
        add(&builder, trap->message);
    else if (trap->kind == TRAP_PAGE_FAULT)
        describe_page_fault(trap, &builder);
    else if (has_selector_error(trap->vector))
        describe_selector(trap->error, &builder);
}
