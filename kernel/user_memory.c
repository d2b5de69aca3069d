/*
 * user_memory.c - finds what is behind a user address, in the page tables or else in the image.
 */
#include "user_memory.h"

#include "arch/arch.h"
#include "elf.h"
#include "program.h"

enum {
    PAGE = ARCH_PAGE_BYTES,
};

/* What is behind one page. */
struct page {
    uint64_t physical; /* 0: nothing */
    unsigned permissions;
};

/* The page that the file of a program has for `address`, and that it can never write to. */
static struct page find_in_file(const struct program_file *file, uint64_t address)
{
    static const struct elf_range anywhere = {ARCH_USER_START, ARCH_USER_END};
    struct elf_program program;

    if (elf_read(file->bytes, file->size, anywhere, &program) != NULL)
        return (struct page){0, 0};
    for (size_t i = 0; i < program.segment_count; i++) {
        const struct elf_segment *segment = &program.segments[i];
        uint64_t offset = address - segment->start;

        if (address >= segment->start && offset < segment->file_bytes &&
            segment->file_bytes - offset >= PAGE && (segment->permissions & CRASH_MAP_WRITE) == 0)
            return (struct page){file->physical + segment->offset + offset, segment->permissions};
    }
    return (struct page){0, 0};
}

static struct page find_in_image(uint64_t address)
{
    struct program_file file;
    struct page page = {0, 0};

    for (size_t i = 0; page.physical == 0 && program_at(i, &file); i++)
        page = find_in_file(&file, address);
    return page;
}

static struct page find(uint64_t space, uint64_t address)
{
    struct page page = {0, 0};

    page.physical = arch_space_find(space, address, &page.permissions);
    return page.physical != 0 ? page : find_in_image(address);
}

/* Where the kernel sees the byte at `address`, and how many follow in its page, up to *len.  0 if
 * one may not have it. */
static uint64_t view(uint64_t space, uint64_t address, unsigned needed, size_t *len)
{
    size_t in_page = (size_t)(PAGE - address % PAGE);
    struct page page = find(space, address - address % PAGE);

    if (address < ARCH_USER_START || address >= ARCH_USER_END || page.physical == 0 ||
        (page.permissions & needed) == 0)
        return 0;
    if (*len > in_page)
        *len = in_page;
    return (uint64_t)(uintptr_t)arch_physical(page.physical) + address % PAGE;
}

size_t user_memory_read(uint64_t space, uint64_t address, void *to, size_t len)
{
    const unsigned any = CRASH_MAP_READ | CRASH_MAP_WRITE | CRASH_MAP_EXECUTE;
    size_t done = 0;

    while (done < len) {
        size_t part = len - done;
        uint64_t from = view(space, address + done, any, &part);

        if (from == 0 || arch_copy_from((uint8_t *)to + done, from, part) < part)
            break;
        done += part;
    }
    return done;
}

size_t user_memory_write(uint64_t space, uint64_t address, const void *from, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t part = len - done;
        uint64_t to = view(space, address + done, CRASH_MAP_WRITE | CRASH_MAP_EXECUTE, &part);

        if (to == 0 || arch_patch(to, (const uint8_t *)from + done, part) < part)
            break;
        done += part;
    }
    return done;
}
