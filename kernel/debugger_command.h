/*
 * debugger_command.h - a command of `monitor` being executed: its words, and where it prints.
 */
#ifndef KERNEL_DEBUGGER_COMMAND_H
#define KERNEL_DEBUGGER_COMMAND_H

#include "debugger_port.h"

enum debugger_command_limits {
    WORDS = 6,
    WORD_BYTES = 24,
};

struct debugger_command {
    struct debugger_machine *machine;
    void (*print)(void *to, const char *text);
    void *to;
    char words[WORDS][WORD_BYTES];
    unsigned count; /* of the words */
};

void debugger_say(const struct debugger_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Take a command apart.  False if there are too many words, or one is too long. */
bool debugger_take_words(struct debugger_command *command, const char *text);

/* Word `n` as a number, 0x... or decimal; the second takes `otherwise` if there is no such word. */
bool debugger_take_number(const struct debugger_command *command, unsigned n, uint64_t *value);
bool debugger_take_optional(const struct debugger_command *command, unsigned n, uint64_t otherwise,
                            uint64_t *value);

/* debugger_inspect.c: commands that show the processor.  False if their words are wrong. */
bool debugger_walk_pages(const struct debugger_command *command);
bool debugger_show_physical(const struct debugger_command *command);
bool debugger_show_msr(const struct debugger_command *command);
bool debugger_access_port(const struct debugger_command *command);
bool debugger_show_gates(const struct debugger_command *command);
bool debugger_show_segments(const struct debugger_command *command);

#endif
