/*
 * debugger_fault.h - faults that GDB sees before the kernel does, and may keep from it.
 */
#ifndef KERNEL_DEBUGGER_FAULT_H
#define KERNEL_DEBUGGER_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "gdbstub/gdbstub.h"
#include "trap/trap.h"

/* The signal that GDB shows for a trap. */
enum gdbstub_signal debugger_signal(const struct trap *trap);

/* GDB resumed without passing the fault on: to call a function, perhaps, after which it restores
 * the registers and may still pass it on.  Keep it; `sp` is the stack pointer it came with. */
void debugger_keep_fault(const struct trap *trap, uint64_t sp);

/* GDB passes the fault to the kernel.  If the registers are those of the kept one, *trap becomes
 * that.  False if there is none to deliver: it was how a call of GDB's ended. */
bool debugger_deliver_fault(struct trap *trap);

#endif
