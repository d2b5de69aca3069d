/*
 * debugger_tables.h - what there is in the machine, in rows: for `info os` and for `monitor`.
 */
#ifndef KERNEL_DEBUGGER_TABLES_H
#define KERNEL_DEBUGGER_TABLES_H

#include "debugger_port.h"

enum debugger_table_limits {
    DEBUGGER_ROW_BYTES = 320,
};

struct debugger_table {
    const char *name;
    const char *about;
    const char *columns; /* separated by tabs */
    /* Write row `n`: its cells, separated by tabs.  False past the last. */
    bool (*row)(struct debugger_machine *machine, size_t n, char *text, size_t size);
};

extern const struct debugger_table debugger_tables[];
extern const size_t debugger_table_count;

/* The table with that name, or NULL. */
const struct debugger_table *debugger_find_table(const char *name);

#endif
