/*
 * debugger_line.h - what goes out on GDB's line: its packets, and the console's text, if they share
 * it.  Private to debugger*.c.
 */
#ifndef KERNEL_DEBUGGER_LINE_H
#define KERNEL_DEBUGGER_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Send a packet.  What the line does not take in time goes out as soon as it takes something again,
 * and before the next packet, so that each is whole; one that comes before that is dropped.  The
 * caller has the machine. */
void debugger_line_send(const void *packet, size_t len);

/* Send what is left of one, as far as the line takes it.  True if nothing is left. */
bool debugger_line_send_rest(void);

/* For console_share(): text, for GDB while it can take it, else as it is.  Anywhere. */
bool debugger_line_print(const void *text, size_t len);

/* Does GDB show what is written to the console? */
bool debugger_line_has_gdb(void);

/* Send what had to be kept.  The caller has the machine, and is about to let it go. */
void debugger_line_send_kept(void);

/* From now on the console's text is the output of a monitor command; NULL: no longer. */
void debugger_line_lend(void (*print)(void *to, const char *text), void *to);

/* Whatever this CPU was sending ends here: it has crashed. */
void debugger_line_take(void);

#endif
