/*
 * debugger_inspect.c - commands of `monitor` that show page tables, physical memory, registers,
 * ports and descriptors.  Only `io ... write` changes anything.
 */
#include "arch/arch.h"
#include "arch/inspect.h"
#include "debugger_command.h"
#include "format.h"
#include "string.h"

enum {
    DUMP_BYTES = 64, /* of phys, unless it says how many */
    DUMP_MOST = 4096,
    DUMP_ROW = 16,
    ENTRY_SHIFT = 12,
    EXCEPTIONS = 32,
};

bool debugger_walk_pages(const struct debugger_command *command)
{
    static const char *const tables[] = {"PT", "PD", "PDPT", "PML4", "PML5"};
    struct crash_walk walk;
    uint64_t address;

    if (!debugger_take_number(command, 1, &address))
        return false;
    arch_walk(address, &walk);
    if (!walk.canonical) {
        debugger_say(command, "0x%lx is not canonical\n", address);
        return true;
    }
    for (unsigned i = 0; i < walk.read; i++) {
        unsigned level = walk.levels - 1u - i;
        debugger_say(command, "%-4s[%lu] = 0x%016lx%s%s%s%s\n", tables[level],
                     address >> (ENTRY_SHIFT + 9 * level) & 511, walk.entries[i],
                     (walk.entries[i] & 1) != 0 ? " present" : " absent",
                     (walk.entries[i] & 2) != 0 ? " writable" : "",
                     (walk.entries[i] & 4) != 0 ? " user" : "",
                     walk.entries[i] >> 63 != 0 ? " no-execute" : "");
    }
    if (walk.mapped)
        debugger_say(command, "0x%lx is physical 0x%lx\n", address, walk.physical);
    else
        debugger_say(command, "0x%lx is not mapped\n", address);
    return true;
}

static void dump_row(const struct debugger_command *command, uint64_t address, const uint8_t *bytes,
                     size_t len)
{
    char text[DUMP_ROW * 3 + 1];

    for (size_t i = 0; i < len; i++)
        format_text(text + 3 * i, sizeof(text) - 3 * i, " %02x", bytes[i]);
    debugger_say(command, "0x%09lx:%s\n", address, text);
}

bool debugger_show_physical(const struct debugger_command *command)
{
    uint64_t address, left;
    uint8_t bytes[DUMP_ROW];

    if (!debugger_take_number(command, 1, &address) ||
        !debugger_take_optional(command, 2, DUMP_BYTES, &left) || left > DUMP_MOST)
        return false;
    while (left > 0) {
        size_t wanted = left < DUMP_ROW ? (size_t)left : DUMP_ROW;
        size_t got = arch_copy_physical(bytes, address, wanted);
        if (got > 0)
            dump_row(command, address, bytes, got);
        if (got < wanted) {
            debugger_say(command, "0x%lx is no memory\n", address + got);
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

bool debugger_show_msr(const struct debugger_command *command)
{
    struct access access = {0};
    struct trap caught;

    if (!debugger_take_number(command, 1, &access.number) || access.number > UINT32_MAX)
        return false;
    if (arch_guard(read_msr, &access, &caught))
        debugger_say(command, "MSR 0x%lx = 0x%lx\n", access.number, access.value);
    else
        debugger_say(command, "MSR 0x%lx: %s\n", access.number, caught.name);
    return true;
}

bool debugger_access_port(const struct debugger_command *command)
{
    bool write = command->count == 5 && strcmp(command->words[3], "write") == 0;
    struct access access = {0};
    struct trap caught;
    uint64_t bytes;

    if (!debugger_take_number(command, 1, &access.number) || access.number > UINT16_MAX ||
        !debugger_take_optional(command, 2, 1, &bytes) ||
        (bytes != 1 && bytes != 2 && bytes != 4) || (command->count > 3 && !write) ||
        (write && !debugger_take_number(command, 4, &access.value)))
        return false;
    access.bytes = (unsigned)bytes;
    if (!arch_guard(write ? write_port : read_port, &access, &caught))
        debugger_say(command, "port 0x%lx: %s\n", access.number, caught.name);
    else
        debugger_say(command, "port 0x%lx %s 0x%lx\n", access.number, write ? "<-" : "=",
                     access.value);
    return true;
}

static void show_gate(const struct debugger_command *command, unsigned vector)
{
    struct arch_gate gate;

    if (!arch_gate(vector, &gate))
        debugger_say(command, "%3u: outside of the table\n", vector);
    else if (!gate.present)
        debugger_say(command, "%3u: not present\n", vector);
    else
        debugger_say(command, "%3u: 0x%lx, selector 0x%x, stack %u, type 0x%x, level %u  %s\n",
                     vector, gate.handler, gate.selector, gate.stack, gate.type, gate.level,
                     arch_vector_name(vector));
}

bool debugger_show_gates(const struct debugger_command *command)
{
    uint64_t vector;

    if (command->count > 1) {
        if (!debugger_take_number(command, 1, &vector) || vector > UINT8_MAX)
            return false;
        show_gate(command, (unsigned)vector);
        return true;
    }
    for (unsigned i = 0; i < EXCEPTIONS; i++)
        show_gate(command, i);
    debugger_say(command, "monitor idt N shows another\n");
    return true;
}

bool debugger_show_segments(const struct debugger_command *command)
{
    unsigned selector;
    uint64_t words[2];

    for (unsigned n = 0; arch_segment(n, &selector, words); n++) {
        debugger_say(command, "0x%02x: 0x%016lx", selector, words[0]);
        debugger_say(command, words[1] != 0 ? " 0x%016lx\n" : "\n", words[1]);
    }
    return true;
}
