/*
 * debugger_selftest.h - the debugger looks at itself: is it what it was when it began?
 */
#ifndef KERNEL_DEBUGGER_SELFTEST_H
#define KERNEL_DEBUGGER_SELFTEST_H

#include "debugger_port.h"

/* Remember what the kernel's code and constants are. */
void debugger_selftest_init(void);

/* Say what was found, line by line. */
void debugger_selftest(struct debugger_machine *machine, void (*print)(void *to, const char *text),
                       void *to);

#endif
