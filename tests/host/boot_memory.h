/*
 * boot_memory.h - a buffer that plays physical memory for the boot protocols' parsers.
 *
 * The end of the buffer is the end of memory, so a read past it is seen by the address sanitizer.
 * Includes the files under test; after <cmocka.h>.
 */
#ifndef TESTS_HOST_BOOT_MEMORY_H
#define TESTS_HOST_BOOT_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/boot_info.c"
#include "arch/x86_64/memory_map.c"
#include "arch/x86_64/multiboot2.c"
#include "arch/x86_64/pvh.c"

enum test_layout {
    MEMORY_BYTES = 16384,
    INFO = 0x1000,
};

static uint8_t *bytes;
static struct physical_memory memory;
static struct boot_report report;

/* boot_info_init() is not run here: nothing may call this. */
void boot_id_init(const void *seed, size_t len)
{
    (void)seed;
    (void)len;
    fail();
}

static inline int begin(void **state)
{
    (void)state;
    bytes = calloc(1, MEMORY_BYTES);
    memory = (struct physical_memory){bytes, MEMORY_BYTES};
    memset(&report, 0, sizeof(report));
    return bytes ? 0 : -1;
}

static inline int end(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

static inline void put(uint64_t address, const void *what, size_t len)
{
    assert_true(address + len <= MEMORY_BYTES);
    memcpy(bytes + address, what, len);
}

static inline void assert_range(size_t n, uint64_t start, uint64_t stop, enum arch_memory_kind kind)
{
    assert_true(n < report.info.range_count);
    assert_int_equal(report.info.ranges[n].start, start);
    assert_int_equal(report.info.ranges[n].end, stop);
    assert_int_equal(report.info.ranges[n].kind, kind);
}

#endif
