/*
 * debug_registers.h - dr0 to dr7 as GDB sees them.
 */
#ifndef ARCH_X86_64_DEBUG_REGISTERS_H
#define ARCH_X86_64_DEBUG_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"

/* While a trap is handled no point is armed, and DR6 is clean: what is when it is not. */
uint64_t debug_register_show(const struct trap_frame *frame, unsigned number);

/* The points are the stub's, and DR6 is how vector and error code look: what is written is
 * forgotten.  False unless GDB may be restoring what it has seen, as it does after a call. */
bool debug_register_restore(unsigned number, const void *value);

#endif
