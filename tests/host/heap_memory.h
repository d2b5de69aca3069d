/*
 * heap_memory.h - the heap with pages of the host's under it, as many as a test allows.
 */
#ifndef TESTS_HOST_HEAP_MEMORY_H
#define TESTS_HOST_HEAP_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "fake_kernel.h"
#include "kernel/heap.c"
#include "kernel/heap_blocks.c"
#include "kernel/heap_check.c"
#include "kernel/heap_index.c"

static uint8_t *range;
static size_t backed, room; /* bytes */

void *arch_reserve_pages(size_t bytes, enum crash_map_kind kind, const char *name)
{
    assert_int_equal(bytes, HEAP_RANGE_BYTES);
    assert_int_equal(kind, CRASH_MAP_HEAP);
    assert_string_equal(name, "kernel heap");
    range = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal(range, MAP_FAILED);
    backed = 0;
    return range;
}

bool arch_back_pages(void *at, size_t bytes)
{
    assert_ptr_equal(at, range + backed);
    if (backed + bytes > room)
        return false;
    assert_int_equal(mprotect(at, bytes, PROT_READ | PROT_WRITE), 0);
    backed += bytes;
    return true;
}

size_t arch_copy_from(void *to, uint64_t from, size_t len)
{
    uint64_t start = (uint64_t)(uintptr_t)range;

    if (from < start || from + len > start + backed)
        return 0;
    memcpy(to, (const void *)(uintptr_t)from, len);
    return len;
}

static int begin(void **state)
{
    (void)state;
    fake_kernel_reset();
    fake_kernel.thread = 7;
    memset(&heap.counts, 0, sizeof heap.counts);
    heap.oldest = NULL;
    memset(&blocks, 0, sizeof blocks);
    memset(&heap_index, 0, sizeof heap_index);
    room = HEAP_RANGE_BYTES;
    heap_init();
    return 0;
}

static int finish(void **state)
{
    (void)state;
    return munmap(range, HEAP_RANGE_BYTES);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, finish)

#endif
