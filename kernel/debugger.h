/*
 * debugger.h - the kernel's side of the stub: when it is entered, over which line, and how it
 * leaves.
 */
#ifndef KERNEL_DEBUGGER_H
#define KERNEL_DEBUGGER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "trap/trap.h"

/* Take the line that gdb= names: com2 unless it says otherwise. */
void debugger_init(void);

/* From now on a debugger can break in.  After arch_init_interrupts(). */
void debugger_listen(void);

/* A tick, on any CPU: look at the line if it cannot interrupt, or has when nobody could look.  True
 * if the kernel was stopped. */
bool debugger_tick(struct trap *trap);

/* Stop until a debugger has attached and lets the kernel go on; from then on it can break in.
 * Returns at once with gdb=off. */
void debugger_wait(void);

/* A system call begins, or has ended: stop if GDB wants to hear of it (`catch syscall`). Interrupts
 * off. */
void debugger_syscall(struct trap *trap, uint64_t number, bool entry);

/* The application has ended: tell an attached debugger, and wait until it knows, for a bounded
 * time. */
void debugger_exited(uint8_t status);

/* The thread that runs here is about to end: stop if GDB lets no other run, since it would wait for
 * ever. */
void debugger_thread_ends(void);

/* The kernel has crashed.  From the first of these on, nothing but they gives the stub control:
 * listen to the line no longer; serve a debugger the frozen machine until it lets go; tell an
 * attached one that this was the end. */
void debugger_mute(void);
void debugger_examine(struct trap *trap);
void debugger_killed(const struct trap *trap);

/* Undo the effect of planted breakpoints on `data`, which was read from `address`.  Anywhere. */
void debugger_hide_breakpoints(uint64_t address, uint8_t *data, size_t len);

/* Rows of the trap table: what GDB need not hear of, and no other CPU either; a byte on the line
 * that may ask for a stop; anything else that stops. */
enum trap_verdict debugger_pass_breakpoint(struct trap *trap);
enum trap_verdict debugger_pass_step(struct trap *trap);
enum trap_verdict debugger_break_in(struct trap *trap);
enum trap_verdict debugger_handle(struct trap *trap);

#endif
