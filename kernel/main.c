/*
 * main.c - boot order, one call a line, and what runs afterwards.
 */
#include "main.h"

#include <stddef.h>

#include "app_run.h"
#include "arch/arch.h"
#include "command_line.h"
#include "console.h"
#include "cpus.h"
#include "cpus_check.h"
#include "crash.h"
#include "crash_sinks.h"
#include "debugger.h"
#include "debugger_selftest.h"
#include "frames.h"
#include "heap.h"
#include "format.h"
#include "heartbeat.h"
#include "log.h"
#include "memory_check.h"
#include "panic.h"
#include "program.h"
#include "provoke.h"
#include "schedule.h"
#include "stress.h"
#include "string.h"
#include "thread.h"
#include "threads_check.h"
#include "traps.h"
#include "watchdog.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_USAGE = 1, /* the command line asks for what there is not */
};

/* What run=NAME:ARG starts; `argument` is "" where there is none. */
struct program {
    const char *name;
    void (*run)(const char *argument);
};

static const struct program programs[] = {
    {"cpus", cpus_check_run},       /* checks the processors */
    {"heartbeat", heartbeat_run},   /* beats until something stops it */
    {"memory", memory_check_run},   /* checks what hands out memory */
    {"provoke", provoke_run},       /* fails on purpose */
    {"stress", stress_run},         /* all of it at once */
    {"threads", threads_check_run}, /* checks threads and what they wait for */
    {"user", program_run},          /* a program in user mode */
};

/* Does `spec` ask for `name`?  *argument is what follows the colon. */
static bool names(const char *spec, const char *name, const char **argument)
{
    size_t len = strlen(name);

    if (strncmp(spec, name, len) != 0 || (spec[len] != '\0' && spec[len] != ':'))
        return false;
    *argument = spec[len] == ':' ? spec + len + 1 : "";
    return true;
}

static void complain(const char *spec)
{
    char known[128];
    size_t used = 0;

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && used < sizeof(known); i++)
        used += format_text(known + used, sizeof(known) - used, " %s", programs[i].name);
    log_print(LOG_ERROR, "run=%s: it is none of%s", spec, known);
}

static void run(const char *spec)
{
    const char *argument;

    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        if (names(spec, programs[i].name, &argument)) {
            programs[i].run(argument);
            return;
        }
    }
    complain(spec);
    arch_exit_emulator(EXIT_USAGE);
}

void kernel_main(void)
{
    const char *spec;

    traps_init();                                      /* who is asked about a trap */
    arch_init_traps();                                 /* from here on, a fault is caught */
    command_line_init(arch_boot_info()->command_line); /* what the user wants */
    crash_init();                                      /* what follows a crash */
    console_init();                                    /* from here on, people can read */
    debugger_init();                                   /* which line GDB is on */
    provoke_early();                                   /* run=provoke:early fails here */
    log_init();                                        /* ... what is logged */
    watchdog_init();                                   /* when a CPU counts as stuck */
    debugger_selftest_init();                          /* what must not change from here on */
    arch_init_memory();                                /* page tables: guards, no W with X */
    frames_init();                                     /* from here on, memory has owners */
    heap_init();                                       /* ... and comes in any size */
    arch_init_time();                                  /* from here on, the log has times */
    arch_init_interrupts();                            /* controllers known, all lines masked */
    threads_init();                                    /* this is thread 1 from here on */
    crash_sinks_init();                                /* where records go; what earlier ones say */

    if (command_line_flag("gdbwait")) {
        console_print("waiting for debugger\n");
        debugger_wait(); /* until GDB says continue */
    } else {
        debugger_listen(); /* from here on, GDB can break in */
    }
    (void)arch_timer_start(SCHEDULE_HZ); /* from here on, threads take turns */
    arch_interrupts_enable();
    cpus_init(); /* the others */

    spec = command_line_value("run");
    if (spec == NULL && app_present())
        app_run();
    run(spec != NULL ? spec : "heartbeat");
    arch_exit_emulator(EXIT_DONE);
    log_print(LOG_NOTICE, "nothing left to run");
    thread_exit(EXIT_DONE); /* the CPU idles, and ticks */
}
