/*
 * debugger_restart.h - from one life of the machine to the next: a reset that the debugger wants.
 */
#ifndef KERNEL_DEBUGGER_RESTART_H
#define KERNEL_DEBUGGER_RESTART_H

#include "debugger_port.h"

/* Reset.  If the debugger waits for the kernel that begins then, ... */
_Noreturn void debugger_restart(struct debugger_machine *machine);
/* ... that goes on with the session: its first stop is told. */
void debugger_continue_session(struct debugger_machine *machine);

#endif
