/*
 * console.h - text for people on a serial line: the firmware's own or COM1, unless the command
 * line says otherwise.
 *
 * CPUs take turns, a line each, and wait for a bounded time only: may be called anywhere, also in
 * the middle of itself.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/arch.h"

/* Open the line that `console=` names; else the firmware's, if ACPI names one, or com1.  Before
 * that, and with console=off, all text is dropped. */
void console_init(void);

/* Is that line the console? */
bool console_has(enum arch_line line);

/* From now on all that is written goes through this function, which shares the line with somebody
 * else: up to CONSOLE_LINE_BYTES + 2 at once, a line whole.  False if it did not take all of it. */
void console_share(bool (*write)(const void *bytes, size_t len));

/* Is there any console? */
bool console_is_on(void);

/* Write text; '\n' becomes CR LF.  Each line of it stays whole, whatever other CPUs write.  False
 * if the line did not take all of it. */
bool console_write(const char *text, size_t len);

/* The same, formatted; cut at CONSOLE_LINE_BYTES. */
enum console_limits {
    CONSOLE_LINE_BYTES = 320,
};
void console_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on nobody waits for a turn: it may never end. */
void console_begin_crash(void);

/* Bytes as they are, out of turn: for programs that talk over the line. */
bool console_write_raw(const void *bytes, size_t len);

/* The next byte typed, or -1 if there is none; what comes on a shared line is for somebody else. */
int console_read(void);

/* Wait, for a bounded time, until everything has left. */
void console_flush(void);

#endif
