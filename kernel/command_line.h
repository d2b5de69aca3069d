/*
 * command_line.h - the options that the boot loader passed: words of the form NAME or NAME=VALUE.
 *
 * The last of several with the same name counts.  Mistakes are logged, once, and then ignored:
 * no typing error keeps the kernel from booting.
 */
#ifndef KERNEL_COMMAND_LINE_H
#define KERNEL_COMMAND_LINE_H

#include <stdbool.h>

/* Take the command line apart, and log what is not an option. */
void command_line_init(const char *text);

/* The value of NAME=VALUE, or NULL if it was not given. */
const char *command_line_value(const char *name);

/* Was NAME given? */
bool command_line_flag(const char *name);

/* The place of NAME's value among `choices` ("com1|com2|off"), from 0.  `otherwise` if it was not
 * given, or is none of them: then that is logged. */
unsigned command_line_choice(const char *name, const char *choices, unsigned otherwise);

/* The number of NAME=NUMBER, decimal; `otherwise` if it is not given, or is none (logged). */
unsigned command_line_number(const char *name, unsigned otherwise);

#endif
