/*
 * debugger_tables.c - one function for each table that a debugger may ask for.
 *
 * A row is made when it is asked for, from what is there then: nothing is kept, nothing is locked.
 */
#include "debugger_tables.h"

#include "arch/inspect.h"

#include "format.h"
#include "log.h"
#include "string.h"
#include "traps.h"

static bool thread_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    gdbstub_thread thread = debugger_port.next_thread(machine, GDBSTUB_NO_THREAD);
    struct gdbstub_thread_info info;
    uint64_t pc = 0;

    for (; n > 0 && thread != GDBSTUB_NO_THREAD; n--)
        thread = debugger_port.next_thread(machine, thread);
    if (thread == GDBSTUB_NO_THREAD || !debugger_port.thread_info(machine, thread, &info))
        return false;
    (void)debugger_port.read_register(machine, thread, arch_gdb.pc, &pc);
    format_text(text, size, "%lu\t%s\t%s\t%u\t0x%lx", thread, info.name, info.state, info.cpu, pc);
    return true;
}

static bool cpu_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    (void)machine;
    if (n >= arch_cpu_count())
        return false;
    format_text(text, size, "%zu\t%s", n, n == arch_cpu_id() ? "serves the debugger" : "stopped");
    return true;
}

static bool irq_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    static const char *const deliveries[] = {"fixed", "lowest", "SMI", "3",
                                             "NMI",   "INIT",   "6",   "ExtINT"};
    struct arch_interrupt_input input;

    (void)machine;
    if (!arch_interrupt_input(n, &input))
        return false;
    format_text(text, size, "%u\t%u\t%s\t%s, %s\t%s\t%u", input.number, input.vector,
                deliveries[input.delivery], input.level_triggered ? "level" : "edge",
                input.active_low ? "low" : "high",
                input.masked ? "masked" : (input.pending ? "pending" : "open"), input.cpu);
    return true;
}

static bool page_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    struct crash_map map;

    (void)machine;
    if (!arch_map_entry(n, &map))
        return false;
    format_text(text, size, "0x%lx\t0x%lx\t%c%c%c\t%s", map.start, map.end,
                (map.permissions & CRASH_MAP_READ) != 0 ? 'r' : '-',
                (map.permissions & CRASH_MAP_WRITE) != 0 ? 'w' : '-',
                (map.permissions & CRASH_MAP_EXECUTE) != 0 ? 'x' : '-', map.name);
    return true;
}

static bool module_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    const struct arch_boot_info *boot = arch_boot_info();

    (void)machine;
    if (n >= boot->module_count)
        return false;
    format_text(text, size, "0x%lx\t%lu\t%s", boot->modules[n].start,
                boot->modules[n].end - boot->modules[n].start, boot->modules[n].name);
    return true;
}

static bool trap_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    (void)machine;
    for (unsigned vector = 0; vector < TRAPS_VECTORS; vector++) {
        if (traps_counted(vector) == 0 || n-- > 0)
            continue;
        format_text(text, size, "%u\t%s\t%lu", vector, arch_vector_name(vector),
                    traps_counted(vector));
        return true;
    }
    return false;
}

static bool log_row(struct debugger_machine *machine, size_t n, char *text, size_t size)
{
    static const char *const levels[LOG_LEVELS] = {"error", "warning", "notice", "debug"};
    uint64_t sequence = log_oldest() + n;
    struct log_entry entry;

    (void)machine;
    if (sequence >= log_next())
        return false;
    if (log_read(sequence, &entry))
        format_text(text, size, "%lu\t%lu.%06lu\t%s\t%u\t%s", sequence, entry.time_us / 1000000,
                    entry.time_us % 1000000, levels[entry.level % LOG_LEVELS], entry.cpu,
                    entry.text);
    else
        format_text(text, size, "%lu\t\t\t\t(lost)", sequence);
    return true;
}

const struct debugger_table debugger_tables[] = {
    {"threads", "who runs, and who could", "ID\tName\tState\tCPU\tPC", thread_row},
    {"cpus", "processors", "CPU\tState", cpu_row},
    {"irqs", "inputs of the interrupt controllers", "Input\tVector\tDelivery\tTrigger\tState\tCPU",
     irq_row},
    {"pages", "what is where in the kernel's address space", "Start\tEnd\tAccess\tWhat", page_row},
    {"modules", "what the boot loader brought along", "Start\tBytes\tName", module_row},
    {"traps", "how often each vector has come", "Vector\tName\tCount", trap_row},
    {"log", "the kernel's last messages", "Number\tSeconds\tLevel\tCPU\tText", log_row},
};

const size_t debugger_table_count = sizeof(debugger_tables) / sizeof(debugger_tables[0]);

const struct debugger_table *debugger_find_table(const char *name)
{
    for (size_t i = 0; i < debugger_table_count; i++) {
        if (strcmp(debugger_tables[i].name, name) == 0)
            return &debugger_tables[i];
    }
    return NULL;
}
