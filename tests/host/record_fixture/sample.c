/*
 * sample.c - write a record made of known values, for the readers' tests and for FORMAT.md.
 *
 *     sample small|full|packed raw|lines
 *
 * `small` is the annotated one of FORMAT.md; `full` has many sections, and `packed` the same ones,
 * compressed.  test_record.py knows the
 * values.
 */
#include <stdio.h>
#include <string.h>

#include "tests/host/fake_sink.h"

enum {
    STACK_BYTES = 8 * 1024,
    STACK_ZERO = 0x600,  /* offset of three zero units in the stack ... */
    STACK_HOLE = 0x1000, /* ... and of an unreadable page */
    PAGE = 4096,
    REGISTERS = 33,
    MESSAGES = 40,
    EVENTS = 6, /* of each CPU */
};

static const uint64_t stack_start = 0xffffc00000010000;
static const uint64_t code_start = 0xffffffff80101000;

static struct crash_writer writer;

static struct crash_header make_header(uint32_t sequence)
{
    struct crash_header header = {.machine = 62, .cpu_count = 4, .sequence = sequence};

    for (uint8_t i = 0; i < CRASH_BOOT_ID_BYTES; i++)
        header.boot_id[i] = (uint8_t)(0xb0 + i);
    for (uint8_t i = 0; i < CRASH_BUILD_ID_BYTES; i++)
        header.build_id[i] = (uint8_t)(0x10 + i);
    header.build_id_length = CRASH_BUILD_ID_BYTES;
    return header;
}

static void write_cause(void)
{
    struct crash_cause cause = {
        .kind = 6,
        .vector = 14,
        .error = 2,
        .pc = code_start + 43,
        .address = 0x18,
        .access = 2,
        .cpu = 1,
        .thread = 5,
        .uptime_us = 1234567,
        .arguments = {1, 2, 3, UINT64_MAX},
        .name = "page fault",
        .thread_name = "main",
        .text = "write to 0x18",
    };

    crash_section(&writer, CRASH_TAG('C', 'A', 'U', 'S'), 0, &cause, sizeof cause);
}

static void write_registers(void)
{
    struct crash_registers registers = {
        .cpu = 1, .count = REGISTERS, .valid = {(UINT64_C(1) << REGISTERS) - 1 - (1 << 5)}};
    uint64_t values[REGISTERS];

    for (uint64_t i = 0; i < REGISTERS; i++)
        values[i] = 0x0101010101010101 * i;
    crash_section_begin(&writer, CRASH_TAG('R', 'E', 'G', 'S'), 0);
    crash_append(&writer, &registers, sizeof registers);
    crash_append(&writer, values, sizeof values);
    crash_section_end(&writer, false);
}

/* 64 bytes, of which the first 16 are unreadable. */
static void write_code(void)
{
    struct crash_code code = {.pc_offset = 43, .length = 64, .valid = ~UINT64_C(0xffff)};
    uint8_t bytes[64];

    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    crash_section_begin(&writer, CRASH_TAG('C', 'O', 'D', 'E'), code_start);
    crash_append(&writer, &code, sizeof code);
    crash_append(&writer, bytes, sizeof bytes);
    crash_section_end(&writer, false);
}

static void write_walks(void)
{
    struct crash_walk walks[] = {
        {.address = 0x18,
         .purpose = CRASH_WALK_ADDRESS,
         .levels = 4,
         .read = 1,
         .canonical = 1,
         .root = 0x1000},
        {.address = code_start + 43,
         .purpose = CRASH_WALK_PC,
         .levels = 4,
         .read = 4,
         .mapped = 1,
         .canonical = 1,
         .root = 0x1000,
         .physical = 0x10102b,
         .entries = {0x2003, 0x3003, 0x4003, 0x101121}},
    };

    crash_section(&writer, CRASH_TAG('P', 'T', 'W', 'K'), 0, walks, sizeof walks);
}

static void write_backtrace(uint64_t count)
{
    crash_section_begin(&writer, CRASH_TAG('B', 'T', 'R', 'C'), 0);
    for (uint64_t i = 0; i < count; i++) {
        struct crash_frame frame = {
            .pc = code_start + 43 + 16 * i,
            .frame = i == 0 ? 0 : stack_start + 64 * i,
            .trust = i == 0 ? CRASH_TRUST_CONTEXT : CRASH_TRUST_FRAME,
        };
        crash_append(&writer, &frame, sizeof frame);
    }
    crash_section_end(&writer, false);
}

static void write_stack(void)
{
    crash_section_begin(&writer, CRASH_TAG('S', 'T', 'A', 'K'), stack_start);
    crash_append_memory(&writer, stack_start, STACK_BYTES);
    crash_section_end(&writer, false);
}

static void append_values(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = first + i * 0x0202020202020202;
        crash_append(&writer, &value, sizeof value);
    }
}

/* CPU 1 crashed, 2 and 0 were stopped, 3 did not answer. */
static void write_cpus(void)
{
    static const struct crash_cpu cpus[] = {
        {.cpu = 1, .state = CRASH_CPU_CRASHED, .thread = 5, .ticks = 120, .tick_us = 1230000},
        {.cpu = 0, .state = CRASH_CPU_STOPPED, .thread = 1, .ticks = 121, .tick_us = 1231000},
        {.cpu = 2, .state = CRASH_CPU_STOPPED, .thread = 3, .ticks = 119, .tick_us = 1229000},
        {.cpu = 3, .state = CRASH_CPU_SILENT, .ticks = 7, .tick_us = 70000},
    };

    crash_section_begin(&writer, CRASH_TAG('C', 'P', 'U', 'S'), 0);
    for (size_t i = 0; i < sizeof cpus / sizeof cpus[0]; i++) {
        struct crash_cpu cpu = cpus[i];

        cpu.count = cpu.state == CRASH_CPU_STOPPED ? REGISTERS : 0;
        cpu.valid[0] = cpu.count == 0 ? 0 : (UINT64_C(1) << REGISTERS) - 1 - (1 << 7);
        crash_append(&writer, &cpu, sizeof cpu);
        append_values(cpu.cpu, cpu.count);
    }
    crash_section_end(&writer, false);
}

static void write_locks(void)
{
    static const struct crash_lock locks[] = {
        {0xffffffff80200100, CRASH_LOCK_SPIN, 5, 1, 0, 0xffffffff80101111, "log"},
        {0xffffffff80200200, CRASH_LOCK_MUTEX, 4, 2, 1, 0xffffffff80102222, "disk"},
    };

    crash_section(&writer, CRASH_TAG('L', 'O', 'C', 'K'), 0, locks, sizeof locks);
}

/* Thread 1 to 5 on stacks of 16 KiB; the odd ones run. */
static void write_threads(void)
{
    crash_section_begin(&writer, CRASH_TAG('T', 'H', 'R', 'D'), 0);
    for (uint32_t i = 1; i <= 5; i++) {
        struct crash_thread thread = {
            .id = i,
            .cpu = i / 2,
            .state = i % 2 == 1 ? CRASH_THREAD_RUNNING : CRASH_THREAD_WAITING,
            .flags = i == 1 ? CRASH_THREAD_IDLE : 0,
            .process = i == 4 ? 9 : 0,
            .priority = i,
            .count = i % 2 == 1 ? 0 : REGISTERS,
            .valid = {i % 2 == 1 ? 0 : (UINT64_C(1) << REGISTERS) - 1},
            .stack_bottom = 0xffffd00000000000 + 0x10000 * i,
            .stack_top = 0xffffd00000004000 + 0x10000 * i,
            .wait_object = i % 2 == 1 ? 0 : 0xffffffff80200200,
            .wake_us = i == 2 ? 2000000 : 0,
        };
        snprintf(thread.name, sizeof thread.name, "worker %u", i);
        if (i % 2 == 0)
            snprintf(thread.wait, sizeof thread.wait, "mutex disk");
        crash_append(&writer, &thread, sizeof thread);
        append_values(0x1000 * i, thread.count);
    }
    crash_section_end(&writer, false);
}

/* The first kilobyte of the stack, under another tag: what matters is how it is found again. */
static void write_memory(uint32_t tag, uint64_t start)
{
    crash_section_begin(&writer, tag, start);
    crash_append_memory(&writer, start, 1024);
    crash_section_end(&writer, false);
}

static void write_events(void)
{
    crash_section_begin(&writer, CRASH_TAG('F', 'L', 'I', 'T'), 0);
    for (uint16_t i = 0; i < 4 * EVENTS; i++) {
        struct crash_event event = {
            .time_us = 1200000 + 10 * i,
            .pc = code_start + i,
            .argument = i,
            .kind = (uint16_t)(i % 4 + 1),
            .cpu = (uint16_t)(i / EVENTS),
            .number = 14u + i % 3u,
        };
        crash_append(&writer, &event, sizeof event);
    }
    crash_section_end(&writer, false);
}

static void write_text_hashes(void)
{
    struct crash_text_page pages[] = {{code_start, 4096, 0x12345678},
                                      {code_start + 4096, 0x800, 0x9abcdef0}};

    crash_section(&writer, CRASH_TAG('T', 'E', 'X', 'T'), 0, pages, sizeof pages);
}

static void write_log(void)
{
    crash_section_begin(&writer, CRASH_TAG('L', 'O', 'G', 'R'), 0);
    for (unsigned i = 0; i < MESSAGES; i++) {
        char text[96] = {0};
        int length = snprintf(text, sizeof text, "message %u of a kernel that runs: %.*s", i,
                              (int)(i % 30), "abcdefghijklmnopqrstuvwxyzabcd");
        struct crash_log_entry entry = {.sequence = 100 + i,
                                        .time_us = 1000 * i,
                                        .level = (uint16_t)(i % 4),
                                        .length = (uint16_t)length,
                                        .cpu = i % 2};

        crash_append(&writer, &entry, sizeof entry);
        crash_append(&writer, text, (size_t)(length + 7) / 8 * 8);
    }
    crash_section_end(&writer, false);
}

static void write_maps(void)
{
    crash_section_begin(&writer, CRASH_TAG('M', 'A', 'P', 'S'), 0);
    for (uint16_t i = 1; i <= CRASH_MAP_PHYSICAL; i++) {
        struct crash_map map = {
            .start = code_start + 0x10000 * i,
            .end = code_start + 0x10000 * i + 0x8000,
            .kind = i,
            .permissions = i % 8,
            .captured = i % 5u,
        };
        snprintf(map.name, sizeof map.name, "map %d", i);
        crash_append(&writer, &map, sizeof map);
    }
    crash_section_end(&writer, false);
}

static void write_annotations(void)
{
    static const char text[] = "version=1.2.3\ncommand_line=run=provoke:null-write gdb=off\n"
                               "note=caf\xc3\xa9\n";

    crash_section(&writer, CRASH_TAG('A', 'N', 'N', 'O'), 0, text, sizeof text - 1);
}

static void write_nested(void)
{
    struct crash_nested nested = {
        .tag = CRASH_TAG('S', 'T', 'A', 'K'),
        .kind = 6,
        .vector = 14,
        .error = 0,
        .pc = code_start + 0x500,
        .address = 0x1000,
        .text = "page fault",
    };

    crash_section(&writer, CRASH_TAG('N', 'E', 'S', 'T'), 0, &nested, sizeof nested);
}

/* A unit of each kind. */
static void write_small(void)
{
    write_backtrace(1);
    crash_section_begin(&writer, CRASH_TAG('S', 'T', 'A', 'K'), stack_start);
    crash_append_memory(&writer, stack_start, 0x18);
    crash_append_memory(&writer, stack_start + STACK_ZERO, 3 * CRASH_UNIT_BYTES);
    crash_append_memory(&writer, stack_start + STACK_HOLE, PAGE / 2);
    crash_section_end(&writer, false);
    crash_section(&writer, CRASH_TAG('A', 'N', 'N', 'O'), 0, "version=1.2.3\n", 14);
}

static void write_full(void)
{
    write_cause();
    write_registers();
    write_code();
    write_walks();
    write_backtrace(20);
    write_stack();
    write_cpus();
    write_locks();
    write_threads();
    write_memory(CRASH_TAG('T', 'S', 'T', 'K'), stack_start + 0x200);
    write_events();
    write_log();
    write_maps();
    write_memory(CRASH_TAG('M', 'E', 'M', 'R'), stack_start + 0x1c00);
    write_annotations();
    write_text_hashes();
    write_nested();
    crash_section(&writer, CRASH_TAG('X', 'T', 'R', 'A'), 0x1234, "unknown", 7);
}

static void fill_stack(uint8_t *stack)
{
    for (size_t i = 0; i < STACK_BYTES; i++)
        stack[i] = (uint8_t)(i * 7 + i / 256 + 1);
    memset(stack + STACK_ZERO, 0, 3 * CRASH_UNIT_BYTES);
}

int main(int argc, char **argv)
{
    static uint8_t stack[STACK_BYTES];
    static struct fake_sink raw;
    static struct crash_compressor compressor;
    static struct fake_console console;
    static struct crash_lines lines;
    struct fake_memory memory = {.bytes = stack,
                                 .start = stack_start,
                                 .length = STACK_BYTES,
                                 .hole = stack_start + STACK_HOLE,
                                 .hole_length = PAGE / 2};
    struct crash_source source;
    struct crash_header header;
    struct crash_sink sink;

    if (argc != 3)
        return 2;
    bool small = strcmp(argv[1], "small") == 0, packed = strcmp(argv[1], "packed") == 0;
    bool as_lines = strcmp(argv[2], "lines") == 0;

    header = make_header(small ? 1 : 7);
    fill_stack(stack);
    fake_memory_init(&memory, &source);
    fake_sink_init(&raw, &sink);
    fake_console_init(&console, &lines);
    if (as_lines)
        crash_lines_init(&lines, &sink, crash_record_id(&header));
    crash_begin(&writer, &sink, &source, &header);
    if (packed)
        crash_use_compressor(&writer, &compressor);
    if (small)
        write_small();
    else
        write_full();
    if (!crash_end(&writer, small ? 1000 : 54321))
        return 1;
    fwrite(raw.bytes, 1, raw.length, stdout);
    fwrite(console.text, 1, console.length, stdout);
    return 0;
}
