/*
 * elf.c - reads the headers of static ELF64 executables (System V ABI, chapters 4 and 5).
 */
#include "elf.h"

#include <stdbool.h>

#include "arch/arch.h"
#include "string.h"

enum elf_numbers {
    ELF_CLASS_64 = 2,
    ELF_LITTLE_ENDIAN = 1,
    ELF_EXECUTABLE = 2,
    ELF_LOAD = 1,
    ELF_DYNAMIC = 2,
    ELF_INTERPRETER = 3,
    ELF_PAGE = ARCH_PAGE_BYTES,
};

enum elf_flags {
    ELF_X = 1 << 0,
    ELF_W = 1 << 1,
    ELF_R = 1 << 2,
};

struct elf_header {
    uint8_t magic[4], class, data, version, abi, padding[8];
    uint16_t type, machine;
    uint32_t file_version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_bytes, program_header_bytes, program_header_count;
    uint16_t section_header_bytes, section_header_count, names;
};
_Static_assert(sizeof(struct elf_header) == 64, "System V ABI, figure 4-3");

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
};
_Static_assert(sizeof(struct elf_program_header) == 56, "System V ABI, figure 5-1");

struct file {
    const uint8_t *bytes;
    size_t size;
    struct elf_range range;
};

static bool is_in_file(const struct file *file, uint64_t offset, uint64_t len)
{
    return offset <= file->size && len <= file->size - offset;
}

static const char *check_header(const struct file *file, const struct elf_header *header)
{
    static const uint8_t magic[] = {0x7f, 'E', 'L', 'F'};

    if (file->size < sizeof(*header) || memcmp(header->magic, magic, sizeof(magic)) != 0)
        return "it is no ELF file";
    if (header->class != ELF_CLASS_64 || header->data != ELF_LITTLE_ENDIAN ||
        header->machine != ARCH_ELF_MACHINE)
        return "it is for another machine";
    if (header->type != ELF_EXECUTABLE)
        return "it is not linked to its addresses: -static -no-pie";
    if (header->program_header_bytes != sizeof(struct elf_program_header) ||
        header->program_headers % _Alignof(struct elf_program_header) != 0 ||
        !is_in_file(file, header->program_headers,
                    (uint64_t)header->program_header_count * sizeof(struct elf_program_header)))
        return "its program headers are damaged";
    return NULL;
}

static unsigned permissions_of(uint32_t flags)
{
    return ((flags & ELF_R) != 0 ? CRASH_MAP_READ : 0u) |
           ((flags & ELF_W) != 0 ? CRASH_MAP_WRITE : 0u) |
           ((flags & ELF_X) != 0 ? CRASH_MAP_EXECUTE : 0u);
}

static const char *check_segment(const struct file *file, const struct elf_program_header *header)
{
    const struct elf_range *range = &file->range;

    if (header->file_bytes > header->memory_bytes ||
        !is_in_file(file, header->offset, header->file_bytes))
        return "a segment is not in the file";
    if (header->address < range->start || header->address > range->end ||
        header->memory_bytes > range->end - header->address)
        return "a segment is outside of the programs' memory";
    if (header->address % ELF_PAGE != 0 || header->offset % ELF_PAGE != 0)
        return "a segment does not begin with a page";
    if ((header->flags & (ELF_W | ELF_X)) == (ELF_W | ELF_X))
        return "a segment is both writable and executable";
    return NULL;
}

/* Segments come sorted by address (System V ABI, chapter 5, PT_LOAD). */
static const char *add_segment(const struct file *file, const struct elf_program_header *header,
                               struct elf_program *program)
{
    const char *wrong = check_segment(file, header);

    if (wrong != NULL)
        return wrong;
    if (program->segment_count == ELF_SEGMENTS)
        return "it has too many segments";
    if (program->segment_count > 0 &&
        header->address < program->segments[program->segment_count - 1].end)
        return "its segments overlap";
    program->segments[program->segment_count++] = (struct elf_segment){
        .start = header->address,
        .end = (header->address + header->memory_bytes + ELF_PAGE - 1) & ~(uint64_t)(ELF_PAGE - 1),
        .offset = header->offset,
        .file_bytes = header->file_bytes,
        .permissions = permissions_of(header->flags),
    };
    return NULL;
}

static const char *check_entry(const struct elf_program *program)
{
    for (size_t i = 0; i < program->segment_count; i++) {
        const struct elf_segment *segment = &program->segments[i];

        if (segment->start <= program->entry && program->entry < segment->end)
            return (segment->permissions & CRASH_MAP_EXECUTE) != 0 ? NULL : "it begins in data";
    }
    return "it begins outside of its segments";
}

const char *elf_read(const void *image, size_t size, struct elf_range range,
                     struct elf_program *program)
{
    const struct file file = {image, size, range};
    const struct elf_header *header = image;
    const char *wrong = check_header(&file, header);
    const struct elf_program_header *headers;

    if (wrong != NULL)
        return wrong;
    *program = (struct elf_program){.entry = header->entry};
    headers = (const void *)(file.bytes + header->program_headers);
    for (unsigned i = 0; i < header->program_header_count && wrong == NULL; i++) {
        if (headers[i].type == ELF_DYNAMIC || headers[i].type == ELF_INTERPRETER)
            wrong = "it wants a dynamic linker: -static -no-pie";
        else if (headers[i].type == ELF_LOAD && headers[i].memory_bytes > 0)
            wrong = add_segment(&file, &headers[i], program);
    }
    return wrong != NULL ? wrong : check_entry(program);
}
