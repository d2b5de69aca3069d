/*
 * debugger_monitor.h - `monitor COMMAND` in GDB.
 */
#ifndef KERNEL_DEBUGGER_MONITOR_H
#define KERNEL_DEBUGGER_MONITOR_H

#include <stdbool.h>

/* For struct gdbstub_port; its ctx must be a struct debugger_machine.  What is wrong with a command
 * is said to people: always true. */
bool debugger_monitor(void *ctx, const char *command, void (*print)(void *to, const char *text),
                      void *to);

#endif
