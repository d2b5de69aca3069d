/*
 * elf.h - what an ELF file says about the program in it: where it begins, and its segments.
 *
 * Believes nothing: whatever the bytes are, a segment that is returned lies in the file and in the
 * range that programs may use, and no two share a page.  Reads the file only; maps nothing.
 */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include <stddef.h>
#include <stdint.h>

enum elf_limits {
    ELF_SEGMENTS = 8,
};

struct elf_segment {
    uint64_t start, end;  /* addresses, whole pages, [start, end) */
    uint64_t offset;      /* in the file, of the byte at `start`: a multiple of the page size */
    uint64_t file_bytes;  /* from `start` on come from the file; the rest is zero */
    unsigned permissions; /* enum crash_map_permissions; never both WRITE and EXECUTE */
};

struct elf_program {
    uint64_t entry; /* in an executable segment */
    struct elf_segment segments[ELF_SEGMENTS];
    size_t segment_count; /* sorted by address */
};

/* Where the memory of programs is: whole pages. */
struct elf_range {
    uint64_t start, end;
};

/* Read the `size` bytes at `image`, aligned to 8.  NULL if they are a program, else what is wrong
 * with them, in words for people. */
const char *elf_read(const void *image, size_t size, struct elf_range range,
                     struct elf_program *program);

#endif
