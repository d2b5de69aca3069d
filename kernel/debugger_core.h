/*
 * debugger_core.h - the stopped machine as an ELF core file, made as it is read.
 */
#ifndef KERNEL_DEBUGGER_CORE_H
#define KERNEL_DEBUGGER_CORE_H

#include "debugger_port.h"

/* The next range of memory that belongs into a core, from entry *n of the map on.  False if there
 * is none.  Guard pages may be in it. */
bool debugger_core_range(size_t *n, struct crash_map *map);
bool debugger_is_mapped(uint64_t address);

uint64_t debugger_core_size(struct debugger_machine *machine);

/* Copy what there is of [offset, offset + len); returns how many bytes. */
size_t debugger_core_read(struct debugger_machine *machine, uint64_t offset, void *buf, size_t len);

#endif
