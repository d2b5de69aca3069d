/*
 * panic.h - giving up, with words.
 *
 * Needs no memory but its own and no lock: may be called anywhere.
 */
#ifndef KERNEL_PANIC_H
#define KERNEL_PANIC_H

/* Stop the kernel for the reason given: through the trap table, so that an attached debugger is
 * asked first and a crash record follows. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void panic_assertion(const char *condition, const char *file, int line,
                               const char *function);

/* Panic unless `condition` is true. */
#define kassert(condition)                                                                         \
    ((condition) ? (void)0 : panic_assertion(#condition, __FILE__, __LINE__, __func__))

#endif
