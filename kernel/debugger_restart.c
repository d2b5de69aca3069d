/*
 * debugger_restart.c - one word in memory that survives a reset is all that is kept.
 */
#include "debugger_restart.h"

#include "arch/arch.h"
#include "arch/inspect.h"

_Noreturn void debugger_restart(struct debugger_machine *machine)
{
    arch_keep_word(machine->reboot ? 0 : gdbstub_save(machine->stub));
    arch_line_flush(machine->line);
    arch_reset();
}

void debugger_continue_session(struct debugger_machine *machine)
{
    gdbstub_restore(machine->stub, arch_take_word());
}
