/*
 * line_option.h - which serial line an option of the command line means.
 */
#ifndef KERNEL_LINE_OPTION_H
#define KERNEL_LINE_OPTION_H

#include <stdbool.h>

#include "arch/arch.h"

struct line_choice {
    const char *name; /* NULL: off */
    bool found;
    enum arch_line line; /* if it was found */
};

/* The line of `option`=NAME; without the option, or if it makes no sense (logged), `first` (or
 * NULL) if this machine has that, else `usual`. */
struct line_choice line_choose(const char *option, const char *first, const char *usual);

#endif
