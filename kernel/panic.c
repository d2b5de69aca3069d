/*
 * panic.c - put the reason into words and enter the trap table with them.
 */
#include "panic.h"

#include <stdarg.h>
#include <stdatomic.h>

#include "arch/arch.h"
#include "format.h"

enum {
    MESSAGES = 4, /* panics inside panics whose words are kept apart; the last is overwritten */
};

static struct {
    atomic_uint count;
    char messages[MESSAGES][CRASH_TEXT_BYTES];
} panics;

_Noreturn void panic(const char *format, ...)
{
    unsigned nesting = atomic_fetch_add(&panics.count, 1);
    char *message = panics.messages[nesting < MESSAGES ? nesting : MESSAGES - 1];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(message, CRASH_TEXT_BYTES, format, arguments);
    va_end(arguments);
    arch_panic(message);
    arch_halt();
}

_Noreturn void panic_assertion(const char *condition, const char *file, int line,
                               const char *function)
{
    panic("assertion failed: %s, %s:%d, %s", condition, file, line, function);
}

/* What the stack protector compares with: constant, because it is to find mistakes, and with a zero
 * byte and an end of line, at which copies of text stop. */
uintptr_t __stack_chk_guard = 0x5a0a00d7c3a59d1eu;

_Noreturn void __stack_chk_fail(void);

/* Compilers call this when a function is about to return and its canary has changed. */
_Noreturn void __stack_chk_fail(void)
{
    panic("stack smashed: a local array was overrun, as was found at 0x%lx",
          (uintptr_t)__builtin_return_address(0));
}
