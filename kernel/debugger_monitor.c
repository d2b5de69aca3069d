/*
 * debugger_monitor.c - the commands of `monitor`, and the table that names them all.
 *
 * They show; only `io ... write`, `crash` and `reboot` change anything.  A command that traps costs
 * itself: what may is called under a guard.
 */
#include "debugger_monitor.h"

#include "arch/arch.h"
#include "crash.h"
#include "debugger_command.h"
#include "debugger_line.h"
#include "debugger_selftest.h"
#include "debugger_tables.h"
#include "string.h"

/* ---- Commands: false if their words are wrong ---- */

static bool show_table(const struct debugger_command *monitor, const struct debugger_table *table,
                       size_t first)
{
    char row[DEBUGGER_ROW_BYTES];

    debugger_say(monitor, "%s\n", table->columns);
    for (size_t n = first; table->row(monitor->machine, n, row, sizeof(row)); n++)
        debugger_say(monitor, "%s\n", row);
    return true;
}

static bool show_log(const struct debugger_command *monitor)
{
    const struct debugger_table *table = debugger_find_table("log");
    char row[DEBUGGER_ROW_BYTES];
    uint64_t wanted;
    size_t count = 0;

    if (!debugger_take_optional(monitor, 1, UINT64_MAX, &wanted))
        return false;
    while (table->row(monitor->machine, count, row, sizeof(row)))
        count++;
    return show_table(monitor, table, wanted < count ? count - (size_t)wanted : 0);
}

static bool show_breakpoints(const struct debugger_command *monitor)
{
    static const char *const types[] = {"software breakpoint", "hardware breakpoint",
                                        "write watchpoint", "read watchpoint", "access watchpoint"};
    struct gdbstub_inserted point;
    size_t n = 0;

    for (; gdbstub_inserted_point(monitor->machine->stub, n, &point); n++)
        debugger_say(monitor, "0x%lx, %lu bytes: %s\n", point.address, point.length,
                     types[point.type]);
    if (n == 0)
        debugger_say(
            monitor,
            "none: GDB takes them out while the kernel is stopped, unless told otherwise\n");
    return true;
}

static bool show_statistics(const struct debugger_command *monitor)
{
    struct gdbstub_statistics seen = gdbstub_statistics(monitor->machine->stub);

    debugger_say(monitor, "%lu requests, %lu replies\n", seen.requests, seen.replies);
    debugger_say(monitor, "%lu bytes received, %lu sent\n", seen.bytes_received, seen.bytes_sent);
    debugger_say(monitor, "%lu stops, %lu damaged requests, %lu faults caught\n", seen.stops,
                 seen.damaged, seen.abandoned);
    return true;
}

static bool write_record(const struct debugger_command *monitor)
{
    crash_snapshot(monitor->machine->frame);
    debugger_say(monitor,
                 "a record of the kernel as it stands was written; it goes on as before\n");
    return true;
}

static bool reboot(const struct debugger_command *monitor)
{
    debugger_say(monitor, "rebooting: connect again\n");
    monitor->machine->reboot = true;
    return true;
}

static bool test_itself(const struct debugger_command *monitor)
{
    debugger_selftest(monitor->machine, monitor->print, monitor->to);
    return true;
}

static bool help(const struct debugger_command *monitor);

static const struct command {
    const char *name;
    const char *words; /* that follow */
    const char *about;
    bool (*run)(const struct debugger_command *monitor);
    unsigned most; /* words */
} commands[] = {
    {"help", "", "this list", help, 0},
    {"pagewalk", " ADDRESS", "what the page tables say of it", debugger_walk_pages, 1},
    {"phys", " ADDRESS [BYTES]", "physical memory, at most 4096 bytes", debugger_show_physical, 2},
    {"msr", " NUMBER", "a model-specific register", debugger_show_msr, 1},
    {"io", " PORT [1|2|4 [write VALUE]]", "read an I/O port, or write it", debugger_access_port, 4},
    {"idt", " [VECTOR]", "where interrupts and exceptions lead", debugger_show_gates, 1},
    {"gdt", "", "segment descriptors", debugger_show_segments, 0},
    {"log", " [COUNT]", "the kernel's last messages", show_log, 1},
    {"breakpoints", "", "what is inserted now", show_breakpoints, 0},
    {"stats", "", "what the line has carried", show_statistics, 0},
    {"selftest", "", "is the debugger what it was?", test_itself, 0},
    {"crash", "", "write a crash record now, and go on", write_record, 0},
    {"reboot", "", "reset the machine", reboot, 0},
};

enum {
    COMMANDS = sizeof(commands) / sizeof(commands[0]),
};

static bool help(const struct debugger_command *monitor)
{
    for (size_t i = 0; i < COMMANDS; i++)
        debugger_say(monitor, "%s%s: %s\n", commands[i].name, commands[i].words, commands[i].about);
    for (size_t i = 0; i < debugger_table_count; i++) {
        if (strcmp(debugger_tables[i].name, "log") != 0)
            debugger_say(monitor, "%s: %s\n", debugger_tables[i].name, debugger_tables[i].about);
    }
    return true;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void run(struct debugger_command *monitor)
{
    const struct command *command = find_command(monitor->words[0]);
    const struct debugger_table *table = debugger_find_table(monitor->words[0]);

    if (command != NULL) {
        if (monitor->count > command->most + 1 || !command->run(monitor))
            debugger_say(monitor, "say: monitor %s%s\n", command->name, command->words);
    } else if (table != NULL) {
        if (monitor->count > 1)
            debugger_say(monitor, "say: monitor %s\n", table->name);
        else
            show_table(monitor, table, 0);
    } else {
        debugger_say(monitor, "there is no \"%s\": monitor help lists what there is\n",
                     monitor->words[0]);
    }
}

bool debugger_monitor(void *ctx, const char *command, void (*print)(void *to, const char *text),
                      void *to)
{
    struct debugger_command monitor = {.machine = ctx, .print = print, .to = to};

    debugger_line_lend(print, to);
    if (!debugger_take_words(&monitor, command))
        debugger_say(&monitor, "too many words, or too long: monitor help lists what there is\n");
    else if (monitor.count == 0)
        (void)help(&monitor);
    else
        run(&monitor);
    debugger_line_lend(NULL, NULL);
    return true;
}
