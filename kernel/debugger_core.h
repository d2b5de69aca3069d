/*
 * debugger_core.h - the stopped machine as an ELF core file, made as it is read.
 */
#ifndef KERNEL_DEBUGGER_CORE_H
#define KERNEL_DEBUGGER_CORE_H

#include "debugger_port.h"

uint64_t debugger_core_size(struct debugger_machine *machine);

/* Copy what there is of [offset, offset + len); returns how many bytes. */
size_t debugger_core_read(struct debugger_machine *machine, uint64_t offset, void *buf, size_t len);

#endif
