/*
 * text.c - whose code is at an address, by the marks of kernel.ld.
 */
#include "arch/arch.h"

/* kernel.ld */
extern const uint8_t __text_start[], __text_end[];
extern const uint8_t __debugger_text_start[], __debugger_text_end[];

static bool is_between(uint64_t address, const uint8_t *start, const uint8_t *end)
{
    return (uint64_t)(uintptr_t)start <= address && address < (uint64_t)(uintptr_t)end;
}

bool arch_is_text(uint64_t address)
{
    return is_between(address, __text_start, __text_end);
}

const char *arch_refuse_breakpoint(uint64_t address, size_t len)
{
    if (is_between(address, __debugger_text_start, __debugger_text_end) ||
        is_between(address + len - 1, __debugger_text_start, __debugger_text_end))
        return "that is the debugger's own code, or on the way to it";
    return NULL;
}
