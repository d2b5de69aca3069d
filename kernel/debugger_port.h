/*
 * debugger_port.h - the machine as the stub's port sees it during a stop.
 */
#ifndef KERNEL_DEBUGGER_PORT_H
#define KERNEL_DEBUGGER_PORT_H

#include "arch/arch.h"
#include "gdbstub/gdbstub.h"

struct debugger_machine {
    enum arch_line line;
    const char *line_name;
    unsigned cpu;                 /* the one that has the machine */
    struct trap_frame *frame;     /* what it will go on with */
    gdbstub_thread thread;        /* that runs there */
    struct gdbstub_resume resume; /* what GDB wants of it next */
    struct gdbstub *stub;         /* whose port this is */
    bool reboot;                  /* as soon as the request is answered */
};

/* To be given a struct debugger_machine as its ctx. */
extern const struct gdbstub_port debugger_port;

/* This CPU has not got the machine, and `here` is for its own thread alone: to be read, and to
 * execute. */
void debugger_look_here(struct debugger_machine *here, const struct trap *trap);

/* This CPU has the machine, and was interrupted at `frame`: forget what GDB has ordered threads to
 * do. */
void debugger_take(struct debugger_machine *machine, struct trap_frame *frame);

/* One that will go on when the machine is given back. */
unsigned debugger_running_cpu(const struct debugger_machine *machine);

/* Do all other CPUs run on, when the machine is given back? */
bool debugger_others_run(const struct debugger_machine *machine);

/* The debugger has the thread that runs here step for its own ends: the next stop cancels that. */
void debugger_note_step(void);

/* The thread that runs here, as GDB numbers it. */
gdbstub_thread debugger_current_thread(void);

#endif
