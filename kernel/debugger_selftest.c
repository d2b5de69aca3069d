/*
 * debugger_selftest.c - checksums of what must not change, the depth of the debugger's stack, the
 * state of its line.  Repairs nothing.
 */
#include "debugger_selftest.h"

#include "arch/arch.h"
#include "crashdump/crashdump.h"
#include "format.h"

enum {
    CHUNK = 256,
    CONSTANTS = 2, /* text and read-only data */
};

static struct {
    uint32_t checksums[CONSTANTS];
} selftest;

static const uint16_t kinds[CONSTANTS] = {CRASH_MAP_TEXT, CRASH_MAP_RODATA};

static bool find_map(enum crash_map_kind kind, struct crash_map *map)
{
    for (size_t n = 0; arch_map_entry(n, map); n++) {
        if (map->kind == kind)
            return true;
    }
    return false;
}

/* Without the breakpoints that GDB has planted, if a stub is given. */
static uint32_t checksum(const struct crash_map *map, const struct gdbstub *stub)
{
    uint8_t chunk[CHUNK];
    uint32_t crc = 0;

    for (uint64_t at = map->start; at < map->end; at += sizeof(chunk)) {
        size_t got = stub == NULL ? arch_copy_from(chunk, at, sizeof(chunk))
                                  : gdbstub_read_memory(stub, at, chunk, sizeof(chunk));
        crc = crash_crc32c(crc, chunk, got);
    }
    return crc;
}

void debugger_selftest_init(void)
{
    struct crash_map map;

    for (size_t i = 0; i < CONSTANTS; i++) {
        if (find_map(kinds[i], &map))
            selftest.checksums[i] = checksum(&map, NULL);
    }
}

/* How much of the stack has never been used: it began as zeros. */
static size_t untouched(const struct arch_stack *stack)
{
    const uint8_t *byte = (const uint8_t *)(uintptr_t)stack->bottom;
    size_t count = 0;

    while (count < stack->top - stack->bottom && byte[count] == 0)
        count++;
    return count;
}

static void test_constants(size_t i, struct debugger_machine *machine, char *text, size_t size)
{
    struct crash_map map;

    if (!find_map(kinds[i], &map)) {
        format_text(text, size, "constants: not in the memory map\n");
        return;
    }
    uint32_t now = checksum(&map, machine->stub);
    format_text(text, size, "%s: %s, checksum 0x%x\n", map.name,
                now == selftest.checksums[i] ? "unchanged" : "CHANGED since the kernel began", now);
}

static void test_stack(char *text, size_t size)
{
    struct arch_stack stack;

    if (arch_find_stack((uint64_t)(uintptr_t)&stack, &stack))
        format_text(text, size, "%s: %zu of %zu bytes never used\n", stack.name, untouched(&stack),
                    (size_t)(stack.top - stack.bottom));
    else
        format_text(text, size, "stack: NOT a known one\n");
}

static void test_line(struct debugger_machine *machine, char *text, size_t size)
{
    struct gdbstub_statistics seen = gdbstub_statistics(machine->stub);

    format_text(text, size, "line: %s, %lu requests, %lu damaged\n", machine->line_name,
                seen.requests, seen.damaged);
}

void debugger_selftest(struct debugger_machine *machine, void (*print)(void *to, const char *text),
                       void *to)
{
    char text[128];

    for (size_t i = 0; i < CONSTANTS; i++) {
        test_constants(i, machine, text, sizeof(text));
        print(to, text);
    }
    test_stack(text, sizeof(text));
    print(to, text);
    test_line(machine, text, sizeof(text));
    print(to, text);
}
