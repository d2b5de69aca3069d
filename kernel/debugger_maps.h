/*
 * debugger_maps.h - the kernel's memory as Linux shows a process's: maps and smaps of proc(5).
 */
#ifndef KERNEL_DEBUGGER_MAPS_H
#define KERNEL_DEBUGGER_MAPS_H

#include "gdbstub/gdbstub.h"

size_t debugger_maps_read(void *ctx, const struct gdbstub_object *object, uint64_t offset,
                          void *buf, size_t len);

#endif
