/*
 * debugger_port.h - the machine as the stub's port sees it during a stop.
 */
#ifndef KERNEL_DEBUGGER_PORT_H
#define KERNEL_DEBUGGER_PORT_H

#include "arch/arch.h"
#include "gdbstub/gdbstub.h"

enum debugger_threads {
    THE_THREAD = 1, /* the kernel has one; GDB counts from 1 */
};

struct debugger_machine {
    enum arch_line line;
    struct trap_frame *frame;     /* where it stopped, or did last */
    struct gdbstub_resume resume; /* what GDB wants next */
    struct gdbstub *stub;         /* whose port this is */
    bool reboot;                  /* as soon as the request is answered */
};

/* To be given a struct debugger_machine as its ctx. */
extern const struct gdbstub_port debugger_port;

#endif
