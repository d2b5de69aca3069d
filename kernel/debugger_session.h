/*
 * debugger_session.h - a stop from its beginning to its end, and what the debugger keeps between
 * stops.  Private to debugger*.c.
 */
#ifndef KERNEL_DEBUGGER_SESSION_H
#define KERNEL_DEBUGGER_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "debugger_port.h"
#include "gdbstub/gdbstub.h"
#include "trap/trap.h"

/* What a CPU has yet to do about the line. */
struct side {
    bool bytes_left;              /* a break-in has left bytes: nobody has looked at them yet */
    atomic_bool writes;           /* it writes to the line, or waits until it may */
    unsigned steps;               /* that GDB has had it do */
    bool others_run;              /* while it steps: what it steps may wait for them */
    const struct thread *stepped; /* through a range that GDB need not be asked about ... */
    uint64_t range_start, range_bytes; /* ... 0: there is none */
    bool look_again;           /* one step after leaving, look at the bytes that came meanwhile */
    bool armed;                /* when it came in here, points could trigger */
    struct trap_frame *left;   /* the frame that it left the last stop with ... */
    uint64_t left_pc, left_sp; /* ... and what was in it */
};

extern struct debugger {
    struct gdbstub stub;
    struct gdbstub_port port;
    bool enabled;
    bool waiting;     /* debugger_wait(): stop although nobody is attached yet */
    unsigned holder;  /* CPU + 1 that is in here with the machine: what traps there is ours */
    bool shared;      /* the line is the console's, too */
    bool muted;       /* the holder has crashed: it is not the stub's */
    bool line_closed; /* the line is polled: bytes break in no longer */
    bool polled;      /* bytes perhaps never do: each tick looks, too */
    struct side sides[ARCH_CPUS];
    struct debugger_machine machine;
} debugger;

/* This CPU's. */
struct side *session_side(void);

/* This CPU has the machine, for that trap. */
void session_enter(const struct trap *trap);

/* Leave it to the stub alone, if it can be: GDB does not hear of it, and the line stays open.
 * RESUME if so; BREAK_IN if GDB must have the machine, for the reason that is then in *why; WAIT if
 * the trap is none of the debugger's. */
enum gdbstub_event session_pass(struct trap *trap, struct gdbstub_stop *why);

/* Has a breakpoint been removed before this CPU, which may have been held up, could say that it has
 * hit it?  Then nobody need hear of it: the instruction that is there has yet to run.  In
 * debugger_pass.c. */
bool debugger_pass_removed(struct trap *trap);

/* Let GDB have the machine, all of it.  Returns what it wants of it. */
enum gdbstub_event session_stop(struct trap_frame *frame, struct gdbstub_stop why);

/* Give the machine back, and load the frame. */
void session_leave(struct trap_frame *frame);

/* Give it back, but the kernel has yet to do what the trap is about, which may take a while. */
void session_leave_inside(struct trap_frame *frame);

/* The last thing before the way out.  What has come while the line was being opened is seen one
 * step later, so that GDB never finds the kernel stopped in here. */
void session_go_on(struct side *side, struct trap_frame *frame);

/* A step is about to be made: one in so many lets interrupts in first.  What is stepped may be
 * waiting for one: for a tick, for another CPU.  But a handler waits for locks, and a CPU that
 * stands still may have them; and below the stack pointer it writes over what functions have left
 * there.  GDB's recordings go back to that, so they, and all that GDB does step by step, are
 * interrupted rarely. */
enum session_open_steps {
    OPEN_STEPS = 16,
    OPEN_GDB_STEPS = 1 << 12, /* if GDB asks for each of them */
};
static inline void session_let_interrupts_in(struct side *side, enum session_open_steps open_steps)
{
    if (++side->steps % open_steps == 0 && side->others_run)
        arch_step_let_interrupts_in();
}

/* Look at the line once more when one instruction of the frame has run. */
void session_look_again(struct trap_frame *frame);

#endif
