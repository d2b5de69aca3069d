/*
 * config.h - what a build of the stub leaves out: define one of these as 0, for all files of it and
 * of the port, and leave out the files that it names.
 *
 * It is as if the stub had never heard of it then: packets get the empty reply, and are not
 * announced.  What remains without all of them is registers, memory, breakpoints, steps, ^C, and
 * calls of functions.
 */
#ifndef GDBSTUB_CONFIG_H
#define GDBSTUB_CONFIG_H

/* Hardware points: watchpoints, and breakpoints where memory cannot be written: hardware.c */
#ifndef GDBSTUB_WITH_POINTS
#define GDBSTUB_WITH_POINTS 1
#endif

/* Conditions and commands of breakpoints, ranges of steps: filter.c, agents.c, agent_*.c */
#ifndef GDBSTUB_WITH_FILTER
#define GDBSTUB_WITH_FILTER 1
#endif

/* qXfer and vFile: xfer.c, description.c, memory_map.c, thread_list.c, files.c */
#ifndef GDBSTUB_WITH_OBJECTS
#define GDBSTUB_WITH_OBJECTS 1
#endif

/* More than one thread, and vCont, which says what each does: threads.c, thread_ids.c */
#ifndef GDBSTUB_WITH_THREADS
#define GDBSTUB_WITH_THREADS 1
#endif

/* find and compare-sections, which GDB otherwise does by reading: memory_scan.c */
#ifndef GDBSTUB_WITH_SCAN
#define GDBSTUB_WITH_SCAN 1
#endif

/* What LLDB asks for: lldb.c */
#ifndef GDBSTUB_WITH_LLDB
#define GDBSTUB_WITH_LLDB 1
#endif

/* monitor, and gdbstub_print(): console.c */
#ifndef GDBSTUB_WITH_CONSOLE
#define GDBSTUB_WITH_CONSOLE 1
#endif

/* `run`, gdbstub_save() and gdbstub_restore(): extended.c */
#ifndef GDBSTUB_WITH_RESTART
#define GDBSTUB_WITH_RESTART 1
#endif

/* The end of a program: exit.c */
#ifndef GDBSTUB_WITH_EXIT
#define GDBSTUB_WITH_EXIT 1
#endif

/* catch syscall, gdbstub_catches_syscall(): syscalls.c */
#ifndef GDBSTUB_WITH_SYSCALLS
#define GDBSTUB_WITH_SYSCALLS 1
#endif

/* A line on which people type, too: gdbstub_port.is_terminal */
#ifndef GDBSTUB_WITH_TERMINAL
#define GDBSTUB_WITH_TERMINAL 1
#endif

_Static_assert(GDBSTUB_WITH_THREADS ||
                   !(GDBSTUB_WITH_FILTER || GDBSTUB_WITH_OBJECTS || GDBSTUB_WITH_LLDB),
               "all of these tell of threads");
_Static_assert(GDBSTUB_WITH_CONSOLE || !GDBSTUB_WITH_FILTER,
               "commands of breakpoints print to the console");

#endif
