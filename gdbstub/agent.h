/*
 * agent.h - GDB's agent expressions: the conditions and commands of breakpoints, as bytecode.
 *
 * One is verified when its breakpoint is planted; only what was found good is ever run, so running
 * checks nothing but what memory and registers hold.
 */
#ifndef GDBSTUB_AGENT_H
#define GDBSTUB_AGENT_H

#include "internal.h"

enum agent_limits {
    AGENT_STACK = GDBSTUB_AGENT_STACK,
    AGENT_STEPS = 10000,      /* operations: there are backward jumps */
    AGENT_STRING_BYTES = 256, /* of a %s without a precision */
};

enum agent_operation {
#define AGENT(name, code, operand, consumed, produced, family) AGENT_##name = code,
#include "agent.def"
#undef AGENT
    AGENT_CODES, /* above the highest */
};

enum agent_family {
    FAMILY_UNKNOWN, /* no such operation */
    FAMILY_FLOAT,   /* refused: the kernel has no floating point */
    FAMILY_TRACE,   /* refused: there are no tracepoints */
    FAMILY_BINARY,
    FAMILY_BITS, /* the operand is a width */
    FAMILY_JUMP,
    FAMILY_REGISTER,
    FAMILY_PICK,
    FAMILY_PRINTF, /* operand: number of arguments, length of the format, which follows */
    FAMILY_OTHER,
};

struct agent_row {
    uint8_t operand, consumed, produced, family;
};

/* agent_verify.c */

extern const struct agent_row stub_agent_rows[AGENT_CODES];

enum agent_use {
    AGENT_CONDITION, /* leaves a value */
    AGENT_COMMAND,
};

/* NULL if `code` can be run for that use, else why not.  `marks`: `len` bytes of room. */
const char *stub_verify_agent(const struct gdbstub_arch *arch, const uint8_t *code, size_t len,
                              enum agent_use use, uint8_t *marks);
/* agent_run.c */

/* Why one could not be run to its end. */
struct agent_fault {
    const char *reason; /* NULL: it could */
    bool has_address;
    uint64_t address; /* of memory that cannot be read */
};

/* For whom one is run. */
struct agent_view {
    const struct gdbstub *stub;
    void *ctx; /* for the port's functions */
    gdbstub_thread thread;
    struct gdbstub *printer; /* the same stub, if it may print; NULL: then printing is a fault */
};

/* Run a verified expression for a stopped thread.  Returns the value on top of its stack, or 0. */
uint64_t stub_run_agent(struct gdbstub *stub, gdbstub_thread thread, const uint8_t *code,
                        struct agent_fault *fault);
/* The same.  Changes nothing, if it may not print. */
uint64_t stub_run_agent_for(const struct agent_view *view, const uint8_t *code,
                            struct agent_fault *fault);
/* Memory as the program has it.  False if it cannot be read. */
bool stub_agent_memory(const struct agent_view *view, uint64_t addr, void *data, size_t len);

/* agent_text.c */

/* The operand of an operation: `bytes` of it, the most significant first. */
uint64_t stub_agent_operand(const uint8_t *at, size_t bytes);

/* Text for people, to the kernel's log and to GDB, if it waits for a stop. */

struct agent_text {
    struct gdbstub *stub;
    size_t len;
    char text[GDBSTUB_PRINT_BYTES];
};

void stub_text_char(struct agent_text *text, char c);
void stub_text_put(struct agent_text *text, const char *format, ...);
void stub_text_end(struct agent_text *text);

/* agent_print.c */

/* NULL if the format is one for that many arguments, else why not. */
const char *stub_verify_format(const uint8_t *format, size_t len, size_t arguments);
/* Print.  The first argument is the one before `end`, the second before that, and so on. */
void stub_agent_printf(const struct agent_view *view, const char *format, const uint64_t *end,
                       struct agent_fault *fault);

#endif
