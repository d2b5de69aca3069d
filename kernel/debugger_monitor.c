/*
 * debugger_monitor.c - the commands of `monitor`, and the table that names them all.
 *
 * They show; only `io ... write`, `crash` and `reboot` change anything.  A command that traps costs
 * itself: what may is called under a guard.
 */
#include "debugger_monitor.h"

#include "arch/arch.h"
#include "crash.h"
#include "debugger_selftest.h"
#include "debugger_tables.h"
#include "format.h"
#include "string.h"

enum {
    WORDS = 6, /* of a command */
    WORD_BYTES = 24,
    DUMP_BYTES = 64, /* of phys, unless it says how many */
    DUMP_MOST = 4096,
    DUMP_ROW = 16,
    ENTRY_SHIFT = 12,
    EXCEPTIONS = 32,
};

/* A command being executed. */
struct monitor {
    struct debugger_machine *machine;
    void (*print)(void *to, const char *text);
    void *to;
    char words[WORDS][WORD_BYTES];
    unsigned count; /* of the words */
};

__attribute__((format(printf, 2, 3))) static void say(const struct monitor *monitor,
                                                      const char *format, ...)
{
    char text[DEBUGGER_ROW_BYTES];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    monitor->print(monitor->to, text);
}

/* ---- Words ---- */

/* False if there are too many, or one is too long. */
static bool take_words(struct monitor *monitor, const char *text)
{
    for (;; monitor->count++) {
        size_t len = 0;

        while (*text == ' ')
            text++;
        if (*text == '\0')
            return true;
        while (text[len] != '\0' && text[len] != ' ')
            len++;
        if (monitor->count == WORDS || len >= WORD_BYTES)
            return false;
        memcpy(monitor->words[monitor->count], text, len);
        text += len;
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Word `n` as a number: 0x... or decimal. */
static bool take_number(const struct monitor *monitor, unsigned n, uint64_t *value)
{
    const char *word = monitor->words[n];
    bool hex = word[0] == '0' && (word[1] | 0x20) == 'x';
    unsigned base = hex ? 16 : 10;

    word += hex ? 2 : 0;
    *value = 0;
    if (n >= monitor->count || *word == '\0')
        return false;
    for (; *word != '\0'; word++) {
        unsigned digit = (unsigned)digit_of(*word);
        if (digit >= base || *value > (UINT64_MAX - digit) / base)
            return false;
        *value = *value * base + digit;
    }
    return true;
}

/* The same; `otherwise` if there is no such word. */
static bool take_optional(const struct monitor *monitor, unsigned n, uint64_t otherwise,
                          uint64_t *value)
{
    *value = otherwise;
    return n >= monitor->count || take_number(monitor, n, value);
}

/* ---- Commands: false if their words are wrong ---- */

static bool show_table(const struct monitor *monitor, const struct debugger_table *table,
                       size_t first)
{
    char row[DEBUGGER_ROW_BYTES];

    say(monitor, "%s\n", table->columns);
    for (size_t n = first; table->row(monitor->machine, n, row, sizeof(row)); n++)
        say(monitor, "%s\n", row);
    return true;
}

static bool show_log(const struct monitor *monitor)
{
    const struct debugger_table *table = debugger_find_table("log");
    char row[DEBUGGER_ROW_BYTES];
    uint64_t wanted;
    size_t count = 0;

    if (!take_optional(monitor, 1, UINT64_MAX, &wanted))
        return false;
    while (table->row(monitor->machine, count, row, sizeof(row)))
        count++;
    return show_table(monitor, table, wanted < count ? count - (size_t)wanted : 0);
}

static bool walk_pages(const struct monitor *monitor)
{
    static const char *const tables[] = {"PT", "PD", "PDPT", "PML4", "PML5"};
    struct crash_walk walk;
    uint64_t address;

    if (!take_number(monitor, 1, &address))
        return false;
    arch_walk(address, &walk);
    if (!walk.canonical) {
        say(monitor, "0x%lx is not canonical\n", address);
        return true;
    }
    for (unsigned i = 0; i < walk.read; i++) {
        unsigned level = walk.levels - 1u - i;
        say(monitor, "%-4s[%lu] = 0x%016lx%s%s%s%s\n", tables[level],
            address >> (ENTRY_SHIFT + 9 * level) & 511, walk.entries[i],
            (walk.entries[i] & 1) != 0 ? " present" : " absent",
            (walk.entries[i] & 2) != 0 ? " writable" : "",
            (walk.entries[i] & 4) != 0 ? " user" : "",
            walk.entries[i] >> 63 != 0 ? " no-execute" : "");
    }
    if (walk.mapped)
        say(monitor, "0x%lx is physical 0x%lx\n", address, walk.physical);
    else
        say(monitor, "0x%lx is not mapped\n", address);
    return true;
}

static void dump_row(const struct monitor *monitor, uint64_t address, const uint8_t *bytes,
                     size_t len)
{
    char text[DUMP_ROW * 3 + 1];

    for (size_t i = 0; i < len; i++)
        format_text(text + 3 * i, sizeof(text) - 3 * i, " %02x", bytes[i]);
    say(monitor, "0x%09lx:%s\n", address, text);
}

static bool show_physical(const struct monitor *monitor)
{
    uint64_t address, left;
    uint8_t bytes[DUMP_ROW];

    if (!take_number(monitor, 1, &address) || !take_optional(monitor, 2, DUMP_BYTES, &left) ||
        left > DUMP_MOST)
        return false;
    while (left > 0) {
        size_t wanted = left < DUMP_ROW ? (size_t)left : DUMP_ROW;
        size_t got = arch_copy_physical(bytes, address, wanted);
        if (got > 0)
            dump_row(monitor, address, bytes, got);
        if (got < wanted) {
            say(monitor, "0x%lx is no memory\n", address + got);
            return true;
        }
        address += got;
        left -= got;
    }
    return true;
}

/* What may trap. */
struct access {
    uint64_t number, value;
    unsigned bytes;
};

static void read_msr(void *argument)
{
    struct access *access = argument;

    access->value = arch_read_msr((uint32_t)access->number);
}

static void read_port(void *argument)
{
    struct access *access = argument;

    access->value = arch_read_port((uint16_t)access->number, access->bytes);
}

static void write_port(void *argument)
{
    struct access *access = argument;

    arch_write_port((uint16_t)access->number, access->bytes, (uint32_t)access->value);
}

static bool show_msr(const struct monitor *monitor)
{
    struct access access = {0};
    struct trap caught;

    if (!take_number(monitor, 1, &access.number) || access.number > UINT32_MAX)
        return false;
    if (arch_guard(read_msr, &access, &caught))
        say(monitor, "MSR 0x%lx = 0x%lx\n", access.number, access.value);
    else
        say(monitor, "MSR 0x%lx: %s\n", access.number, caught.name);
    return true;
}

static bool access_port(const struct monitor *monitor)
{
    bool write = monitor->count == 5 && strcmp(monitor->words[3], "write") == 0;
    struct access access = {0};
    struct trap caught;
    uint64_t bytes;

    if (!take_number(monitor, 1, &access.number) || access.number > UINT16_MAX ||
        !take_optional(monitor, 2, 1, &bytes) || (bytes != 1 && bytes != 2 && bytes != 4) ||
        (monitor->count > 3 && !write) || (write && !take_number(monitor, 4, &access.value)))
        return false;
    access.bytes = (unsigned)bytes;
    if (!arch_guard(write ? write_port : read_port, &access, &caught))
        say(monitor, "port 0x%lx: %s\n", access.number, caught.name);
    else
        say(monitor, "port 0x%lx %s 0x%lx\n", access.number, write ? "<-" : "=", access.value);
    return true;
}

static void show_gate(const struct monitor *monitor, unsigned vector)
{
    struct arch_gate gate;

    if (!arch_gate(vector, &gate))
        say(monitor, "%3u: outside of the table\n", vector);
    else if (!gate.present)
        say(monitor, "%3u: not present\n", vector);
    else
        say(monitor, "%3u: 0x%lx, selector 0x%x, stack %u, type 0x%x, level %u  %s\n", vector,
            gate.handler, gate.selector, gate.stack, gate.type, gate.level,
            arch_vector_name(vector));
}

static bool show_gates(const struct monitor *monitor)
{
    uint64_t vector;

    if (monitor->count > 1) {
        if (!take_number(monitor, 1, &vector) || vector > UINT8_MAX)
            return false;
        show_gate(monitor, (unsigned)vector);
        return true;
    }
    for (unsigned i = 0; i < EXCEPTIONS; i++)
        show_gate(monitor, i);
    say(monitor, "monitor idt N shows another\n");
    return true;
}

static bool show_segments(const struct monitor *monitor)
{
    unsigned selector;
    uint64_t words[2];

    for (unsigned n = 0; arch_segment(n, &selector, words); n++) {
        say(monitor, "0x%02x: 0x%016lx", selector, words[0]);
        say(monitor, words[1] != 0 ? " 0x%016lx\n" : "\n", words[1]);
    }
    return true;
}

static bool show_breakpoints(const struct monitor *monitor)
{
    static const char *const types[] = {"software breakpoint", "hardware breakpoint",
                                        "write watchpoint", "read watchpoint", "access watchpoint"};
    struct gdbstub_inserted point;
    size_t n = 0;

    for (; gdbstub_inserted_point(monitor->machine->stub, n, &point); n++)
        say(monitor, "0x%lx, %lu bytes: %s\n", point.address, point.length, types[point.type]);
    if (n == 0)
        say(monitor,
            "none: GDB takes them out while the kernel is stopped, unless told otherwise\n");
    return true;
}

static bool show_statistics(const struct monitor *monitor)
{
    struct gdbstub_statistics seen = gdbstub_statistics(monitor->machine->stub);

    say(monitor, "%lu requests, %lu replies\n", seen.requests, seen.replies);
    say(monitor, "%lu bytes received, %lu sent\n", seen.bytes_received, seen.bytes_sent);
    say(monitor, "%lu stops, %lu damaged requests, %lu faults caught\n", seen.stops, seen.damaged,
        seen.abandoned);
    return true;
}

static bool write_record(const struct monitor *monitor)
{
    crash_snapshot(monitor->machine->frame);
    say(monitor, "a record of the kernel as it stands was written; it goes on as before\n");
    return true;
}

static bool reboot(const struct monitor *monitor)
{
    say(monitor, "rebooting: connect again\n");
    monitor->machine->reboot = true;
    return true;
}

static bool test_itself(const struct monitor *monitor)
{
    debugger_selftest(monitor->machine, monitor->print, monitor->to);
    return true;
}

static bool help(const struct monitor *monitor);

static const struct command {
    const char *name;
    const char *words; /* that follow */
    const char *about;
    bool (*run)(const struct monitor *monitor);
    unsigned most; /* words */
} commands[] = {
    {"help", "", "this list", help, 0},
    {"pagewalk", " ADDRESS", "what the page tables say of it", walk_pages, 1},
    {"phys", " ADDRESS [BYTES]", "physical memory, at most 4096 bytes", show_physical, 2},
    {"msr", " NUMBER", "a model-specific register", show_msr, 1},
    {"io", " PORT [1|2|4 [write VALUE]]", "read an I/O port, or write it", access_port, 4},
    {"idt", " [VECTOR]", "where interrupts and exceptions lead", show_gates, 1},
    {"gdt", "", "segment descriptors", show_segments, 0},
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

static bool help(const struct monitor *monitor)
{
    for (size_t i = 0; i < COMMANDS; i++)
        say(monitor, "%s%s: %s\n", commands[i].name, commands[i].words, commands[i].about);
    for (size_t i = 0; i < debugger_table_count; i++) {
        if (strcmp(debugger_tables[i].name, "log") != 0)
            say(monitor, "%s: %s\n", debugger_tables[i].name, debugger_tables[i].about);
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

static void run(struct monitor *monitor)
{
    const struct command *command = find_command(monitor->words[0]);
    const struct debugger_table *table = debugger_find_table(monitor->words[0]);

    if (command != NULL) {
        if (monitor->count > command->most + 1 || !command->run(monitor))
            say(monitor, "say: monitor %s%s\n", command->name, command->words);
    } else if (table != NULL) {
        if (monitor->count > 1)
            say(monitor, "say: monitor %s\n", table->name);
        else
            show_table(monitor, table, 0);
    } else {
        say(monitor, "there is no \"%s\": monitor help lists what there is\n", monitor->words[0]);
    }
}

bool debugger_monitor(void *ctx, const char *command, void (*print)(void *to, const char *text),
                      void *to)
{
    struct monitor monitor = {.machine = ctx, .print = print, .to = to};

    if (!take_words(&monitor, command))
        say(&monitor, "too many words, or too long: monitor help lists what there is\n");
    else if (monitor.count == 0)
        (void)help(&monitor);
    else
        run(&monitor);
    return true;
}
