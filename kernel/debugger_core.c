/*
 * debugger_core.c - an ELF core file (System V gABI, chapter 4) of the stopped machine: its
 * threads, and the memory of the kernel's image and of what it has mapped.
 *
 * Nothing is stored: each piece is made when it is asked for.  Not in it: the direct map, which is
 * as large as memory, and devices.  What cannot be read reads as zeros.
 */
#include "debugger_core.h"

#include "arch/arch.h"
#include "arch/inspect.h"
#include "debugger_piece.h"
#include "format.h"
#include "string.h"

struct elf_header {
    uint8_t identity[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t size, segment_size, segment_count, section_size, section_count, section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "Elf64_Ehdr");

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct elf_segment) == 56, "Elf64_Phdr");

struct elf_note {
    uint32_t name_size, size, type;
    char name[8];
};
_Static_assert(sizeof(struct elf_note) == 20, "Elf64_Nhdr, with the name CORE");

enum elf_numbers {
    ELF_CORE = 4,
    ELF_VERSION = 1,
    ELF_SEGMENT_LOAD = 1,
    ELF_SEGMENT_NOTE = 4,
    ELF_NOTE_STATUS = 1,  /* NT_PRSTATUS: one for each thread */
    ELF_NOTE_PROCESS = 3, /* NT_PRPSINFO */
    ELF_NOTE_AUXILIARY = 6,
    ELF_AUXILIARY_ENTRY = 9,
};

/* Linux's struct elf_prstatus and elf_prpsinfo of x86-64: as debuggers expect them. */
struct core_status {
    uint32_t signal[3];
    uint16_t current_signal, padding;
    uint64_t pending, held;
    uint32_t pid, parent, group, session;
    uint64_t times[8];
    uint64_t registers[ARCH_CORE_REGISTERS];
    uint32_t float_valid, padding2;
};
_Static_assert(sizeof(struct core_status) == 336, "debuggers check the size");

struct core_process {
    uint8_t state[8];
    uint64_t flags;
    uint32_t user, group, pid, parent, process_group, session;
    char name[16], arguments[80];
};
_Static_assert(sizeof(struct core_process) == 136, "debuggers check the size");

/* ---- Which memory ---- */

static bool is_kept(const struct crash_map *map)
{
    return map->permissions != 0 && (map->kind == CRASH_MAP_TEXT || map->kind == CRASH_MAP_RODATA ||
                                     map->kind == CRASH_MAP_DATA || map->kind == CRASH_MAP_STACK ||
                                     map->kind == CRASH_MAP_HEAP);
}

/* The stacks of the image lie in its data. */
static bool is_in_data(const struct crash_map *map)
{
    struct crash_map other;

    for (size_t n = 0; map->kind != CRASH_MAP_DATA && arch_map_entry(n, &other); n++) {
        if (other.kind == CRASH_MAP_DATA && other.start <= map->start && map->end <= other.end)
            return true;
    }
    return false;
}

bool debugger_is_mapped(uint64_t address)
{
    struct crash_walk walk;

    arch_walk(address, &walk);
    return walk.mapped != 0;
}

/* Of a heap there are more addresses than memory, which is at its beginning. */
static void cut_heap(struct crash_map *map)
{
    uint64_t mapped = 0, pages = (map->end - map->start) / ARCH_PAGE_BYTES;

    while (mapped < pages) {
        uint64_t middle = (mapped + pages) / 2;

        if (debugger_is_mapped(map->start + middle * ARCH_PAGE_BYTES))
            mapped = middle + 1;
        else
            pages = middle;
    }
    map->end = map->start + mapped * ARCH_PAGE_BYTES;
}

bool debugger_core_range(size_t *n, struct crash_map *map)
{
    while (arch_map_entry((*n)++, map)) {
        if (!is_kept(map) || is_in_data(map))
            continue;
        if (map->kind == CRASH_MAP_HEAP)
            cut_heap(map);
        if (map->end > map->start)
            return true;
    }
    return false;
}

/* ---- How long it all is ---- */

struct layout {
    size_t threads, ranges;
    uint64_t notes, memory; /* offsets in the file */
    uint64_t size;
};

static struct layout lay_out(struct debugger_machine *machine)
{
    struct layout layout = {0};
    gdbstub_thread thread = GDBSTUB_NO_THREAD;
    struct crash_map map;

    while ((thread = debugger_port.next_thread(machine, thread)) != GDBSTUB_NO_THREAD)
        layout.threads++;
    for (size_t n = 0; debugger_core_range(&n, &map); layout.ranges++)
        layout.size += map.end - map.start;
    layout.notes = sizeof(struct elf_header) + (layout.ranges + 1) * sizeof(struct elf_segment);
    layout.memory = layout.notes +
                    layout.threads * (sizeof(struct elf_note) + sizeof(struct core_status)) +
                    sizeof(struct elf_note) + sizeof(struct core_process) +
                    sizeof(struct elf_note) + 4 * sizeof(uint64_t);
    layout.size += layout.memory;
    return layout;
}

uint64_t debugger_core_size(struct debugger_machine *machine)
{
    return lay_out(machine).size;
}

/* ---- Its parts, in their order ---- */

static void put_headers(struct debugger_piece *piece, const struct layout *layout)
{
    const struct elf_header header = {
        .identity = {0x7f, 'E', 'L', 'F', 2, 1, ELF_VERSION, 3}, /* 64 bits, little endian, Linux */
        .type = ELF_CORE,
        .machine = ARCH_ELF_MACHINE,
        .version = ELF_VERSION,
        .segments = sizeof(header),
        .size = sizeof(header),
        .segment_size = sizeof(struct elf_segment),
        .segment_count = (uint16_t)(layout->ranges + 1),
    };
    const struct elf_segment notes = {
        .type = ELF_SEGMENT_NOTE,
        .offset = layout->notes,
        .file_size = layout->memory - layout->notes,
        .alignment = 4,
    };
    uint64_t offset = layout->memory;
    struct crash_map map;

    debugger_piece_put(piece, &header, sizeof(header));
    debugger_piece_put(piece, &notes, sizeof(notes));
    for (size_t n = 0; debugger_core_range(&n, &map);) {
        const struct elf_segment segment = {
            .type = ELF_SEGMENT_LOAD,
            .flags = ((map.permissions & CRASH_MAP_READ) != 0 ? 4u : 0u) |
                     ((map.permissions & CRASH_MAP_WRITE) != 0 ? 2u : 0u) |
                     ((map.permissions & CRASH_MAP_EXECUTE) != 0 ? 1u : 0u),
            .offset = offset,
            .address = map.start,
            .file_size = map.end - map.start,
            .memory_size = map.end - map.start,
            .alignment = 1,
        };

        debugger_piece_put(piece, &segment, sizeof(segment));
        offset += segment.file_size;
    }
}

static void put_note(struct debugger_piece *piece, enum elf_numbers type, const void *bytes,
                     size_t len)
{
    const struct elf_note note = {
        .name_size = sizeof("CORE"), .size = (uint32_t)len, .type = type, .name = "CORE"};

    debugger_piece_put(piece, &note, sizeof(note));
    debugger_piece_put(piece, bytes, len);
}

static void put_thread(struct debugger_piece *piece, struct debugger_machine *machine,
                       gdbstub_thread thread)
{
    struct core_status status = {.current_signal = GDBSTUB_SIGTRAP, .pid = (uint32_t)thread};

    for (size_t i = 0; i < ARCH_CORE_REGISTERS; i++)
        (void)debugger_port.read_register(machine, thread, arch_core_registers[i],
                                          &status.registers[i]);
    put_note(piece, ELF_NOTE_STATUS, &status, sizeof(status));
}

/* The thread that stopped is first: debuggers select it. */
static void put_notes(struct debugger_piece *piece, struct debugger_machine *machine)
{
    const uint64_t auxiliary[] = {ELF_AUXILIARY_ENTRY, arch_entry, 0, 0};
    struct core_process process = {.pid = 1, .name = "kernel"};
    gdbstub_thread stopped = gdbstub_stopped_thread(machine->stub), thread = GDBSTUB_NO_THREAD;

    put_thread(piece, machine, stopped);
    while ((thread = debugger_port.next_thread(machine, thread)) != GDBSTUB_NO_THREAD) {
        if (thread != stopped)
            put_thread(piece, machine, thread);
    }
    format_text(process.arguments, sizeof(process.arguments), "%s", arch_boot_info()->command_line);
    put_note(piece, ELF_NOTE_PROCESS, &process, sizeof(process));
    put_note(piece, ELF_NOTE_AUXILIARY, auxiliary, sizeof(auxiliary));
}

static void put_memory(struct debugger_piece *piece, const struct debugger_machine *machine,
                       uint64_t start, uint64_t len)
{
    uint64_t skip;
    uint8_t *to;
    size_t part = debugger_piece_part(piece, len, &skip, &to);

    if (part == 0)
        return;
    size_t got = gdbstub_read_memory(machine->stub, start + skip, to, part);
    memset(to + got, 0, part - got);
    /* Guard pages have readable neighbours. */
    for (; got < part; got++)
        (void)gdbstub_read_memory(machine->stub, start + skip + got, to + got, 1);
}

size_t debugger_core_read(struct debugger_machine *machine, uint64_t offset, void *buf, size_t len)
{
    const struct layout layout = lay_out(machine);
    struct debugger_piece piece = debugger_piece_of(offset, buf, len);
    struct crash_map map;

    if (offset > layout.size || len > layout.size - offset)
        piece.len = offset < layout.size ? (size_t)(layout.size - offset) : 0;
    put_headers(&piece, &layout);
    put_notes(&piece, machine);
    for (size_t n = 0; debugger_core_range(&n, &map) && !debugger_piece_full(&piece);)
        put_memory(&piece, machine, map.start, map.end - map.start);
    return debugger_piece_length(&piece);
}
