/*
 * debugger_objects.h - what GDB can fetch from this kernel: files, and the tables of `info os`.
 */
#ifndef KERNEL_DEBUGGER_OBJECTS_H
#define KERNEL_DEBUGGER_OBJECTS_H

#include "gdbstub/gdbstub.h"

/* For struct gdbstub_port; its ctx must be a struct debugger_machine. */
enum debugger_object_limits {
    DEBUGGER_OBJECTS = 14,
};
extern const struct gdbstub_object debugger_objects[DEBUGGER_OBJECTS];

/* What is around an address: for the port, too. */
bool debugger_memory_region(void *ctx, gdbstub_thread thread, uint64_t addr,
                            struct gdbstub_range *range);

#endif
