/*
 * memory_check.c - use frames, address spaces and the heap as hard as they can be, and look.
 *
 * For a kernel in which nothing else runs: it takes all memory there is.
 */
#include "memory_check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "console.h"
#include "frames.h"
#include "heap.h"
#include "panic.h"
#include "string.h"

enum {
    EXIT_DONE = 0,
    HEAP_SLOTS = 256,
    HEAP_ROUNDS = 20000,
};

/* ---- Frames ---- */

static bool is_zeroed(uint64_t frame)
{
    const uint64_t *words = arch_physical(frame);

    for (size_t i = 0; i < ARCH_PAGE_BYTES / sizeof *words; i++) {
        if (words[i] != 0)
            return false;
    }
    return true;
}

/* There is nothing to be had but what the heap has already. */
static void check_shortage(void)
{
    void **last = NULL, **block;

    while ((block = heap_alloc(HEAP_MAX_BYTES)) != NULL) {
        *block = last;
        last = block;
    }
    while (last != NULL) {
        block = last;
        last = *block;
        heap_free(block);
    }
    kassert(arch_space_create() == 0);
}

/* Every frame there is, in a chain through the frames themselves; nobody else's then. */
static void check_frames(void)
{
    struct frame_counts before = frames_counts(), none;
    uint64_t first = 0, highest = 0, frame;
    size_t count = 0;

    while ((frame = frames_take()) != 0) {
        uint64_t *link = arch_physical(frame);

        kassert(is_zeroed(frame));
        link[0] = first;
        link[1] = frame; /* two that are the same show here */
        first = frame;
        highest = frame > highest ? frame : highest;
        count++;
    }
    none = frames_counts();
    kassert(count == before.free && none.free == 0 && none.lowest_free == 0);
    check_shortage();
    while (first != 0) {
        const uint64_t *link = arch_physical(first);

        frame = first;
        kassert(link[1] == frame);
        first = link[0];
        frames_give(frame);
    }
    kassert(frames_counts().free == before.free && frames_counts().used == before.used);
    console_print("frames: %zu taken and given, the highest at 0x%lx\n", count, highest);
}

/* ---- Address spaces ---- */

static const uint64_t addresses[] = {
    ARCH_USER_START, ARCH_USER_START + ARCH_PAGE_BYTES, 0x400000, 0x8000000000,
    0x7fffc0000000,  ARCH_USER_END - ARCH_PAGE_BYTES,
};

static const unsigned permissions[] = {
    CRASH_MAP_READ,
    CRASH_MAP_READ | CRASH_MAP_WRITE,
    CRASH_MAP_READ | CRASH_MAP_EXECUTE,
};

enum {
    ADDRESSES = sizeof addresses / sizeof addresses[0],
    PERMISSIONS = sizeof permissions / sizeof permissions[0],
};

/* Map a page, write across its first bytes, find all that again, and unmap it. */
static void check_page(uint64_t space, uint64_t address, unsigned wanted)
{
    static const char text[] = "what a user program reads";
    uint64_t frame = frames_take();
    unsigned found = 0;
    char seen[sizeof text];

    kassert(frame != 0 && arch_space_map(space, address, frame, wanted));
    kassert(arch_space_find(space, address + 5, &found) == frame && found == wanted);
    kassert(arch_space_patch(space, address + 3, text, sizeof text) == sizeof text);
    kassert(memcmp((char *)arch_physical(frame) + 3, text, sizeof text) == 0);
    kassert(arch_space_read(space, seen, address + 3, sizeof seen) == sizeof seen);
    kassert(memcmp(seen, text, sizeof text) == 0);
    kassert(arch_space_find(arch_kernel_space(), address, NULL) == 0);
    arch_space_unmap(space, address);
    kassert(arch_space_find(space, address, NULL) == 0);
    kassert(arch_space_read(space, seen, address, 1) == 0);
    frames_give(frame);
}

/* A copy ends where a page does behind which nothing is. */
static void check_partial_copies(uint64_t space)
{
    uint64_t frame = frames_take(), end = addresses[0] + ARCH_PAGE_BYTES;
    uint8_t bytes[64];

    kassert(arch_space_map(space, addresses[0], frame, CRASH_MAP_READ));
    kassert(arch_space_read(space, bytes, end - 10, sizeof bytes) == 10);
    kassert(arch_space_patch(space, end - 7, bytes, sizeof bytes) == 7);
    kassert(arch_space_read(space, bytes, addresses[0] - 1, sizeof bytes) == 0);
    arch_space_unmap(space, addresses[0]);
    frames_give(frame);
}

/* Where debuggers may stop while a user's page can be seen. */
static __attribute__((noinline)) void visit(uint64_t address)
{
    __asm__ volatile("" : : "r"(address) : "memory");
}

/* In the space that is loaded a user's memory is seen by debuggers, and not by the kernel. */
static void check_loaded_space(uint64_t space)
{
    static const char text[] = "what a user program wrote";
    uint64_t frame = frames_take(), address = addresses[0];
    bool interrupts = arch_interrupts_disable();
    char seen[sizeof text];

    kassert(arch_space_map(space, address, frame, CRASH_MAP_READ | CRASH_MAP_EXECUTE));
    arch_space_load(space);
    kassert(arch_space_current() == space);
    kassert(arch_patch(address, text, sizeof text) == sizeof text);
    kassert(arch_copy_from(seen, address, sizeof seen) == sizeof seen);
    kassert(memcmp(seen, text, sizeof text) == 0);
    visit(address);
    arch_space_load(arch_kernel_space());
    kassert(arch_copy_from(seen, address, sizeof seen) == 0);
    visit(address);
    arch_space_unmap(space, address);
    frames_give(frame);
    if (interrupts)
        arch_interrupts_enable();
}

/* What the kernel maps later shows in a space that is older. */
static void check_kernel_half(uint64_t space)
{
    uint64_t *word = arch_map_pages(sizeof *word, CRASH_MAP_HEAP, "memory check");
    struct crash_walk here, there;

    kassert(word != NULL);
    arch_walk((uint64_t)(uintptr_t)word, &here);
    arch_space_walk(space, (uint64_t)(uintptr_t)word, &there);
    kassert(here.mapped && there.mapped && here.physical == there.physical);
    kassert(arch_space_find(space, (uint64_t)(uintptr_t)word, NULL) == 0); /* not the user's */
}

static void check_spaces(void)
{
    size_t used = frames_counts().used;
    uint64_t space = arch_space_create();

    kassert(space != 0 && space != arch_space_current());
    kassert(arch_space_current() == arch_kernel_space());
    for (size_t i = 0; i < ADDRESSES; i++) {
        for (size_t j = 0; j < PERMISSIONS; j++)
            check_page(space, addresses[i], permissions[j]);
    }
    check_partial_copies(space);
    check_loaded_space(space);
    arch_space_destroy(space);
    kassert(frames_counts().used == used);

    space = arch_space_create();
    kassert(space != 0);
    used = frames_counts().used;
    check_kernel_half(space);
    kassert(frames_counts().used >= used + 1);
    arch_space_destroy(space);
    console_print("spaces: %u pages mapped, read, written and unmapped\n",
                  (unsigned)(ADDRESSES * PERMISSIONS));
}

/* ---- The heap ---- */

struct slot {
    uint8_t *bytes; /* NULL: nothing allocated */
    size_t size;
    uint8_t fill;
};

/* xorshift64 (Marsaglia 2003): the same numbers in each run. */
static uint64_t random_number(void)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Small ones mostly, some of any size up to 64 KiB. */
static size_t random_size(void)
{
    return 1 + random_number() % (UINT64_C(16) << random_number() % 13);
}

static void fill_slot(struct slot *slot)
{
    slot->size = random_size();
    slot->fill = (uint8_t)random_number();
    slot->bytes = heap_alloc(slot->size);
    kassert(slot->bytes != NULL && (uintptr_t)slot->bytes % HEAP_ALIGNMENT == 0);
    kassert(slot->bytes[0] == HEAP_FILL_NEW && slot->bytes[slot->size - 1] == HEAP_FILL_NEW);
    memset(slot->bytes, slot->fill, slot->size);
}

static void empty_slot(struct slot *slot)
{
    kassert(slot->bytes[0] == slot->fill && slot->bytes[slot->size - 1] == slot->fill);
    heap_free(slot->bytes);
    slot->bytes = NULL;
}

static void check_heap(void)
{
    static struct slot slots[HEAP_SLOTS];
    struct heap_counts counts;

    for (unsigned i = 0; i < HEAP_ROUNDS; i++) {
        struct slot *slot = &slots[random_number() % HEAP_SLOTS];

        if (slot->bytes == NULL)
            fill_slot(slot);
        else
            empty_slot(slot);
    }
    heap_check();
    for (unsigned i = 0; i < HEAP_SLOTS; i++) {
        if (slots[i].bytes != NULL)
            empty_slot(&slots[i]);
    }
    heap_check();
    counts = heap_counts();
    kassert(counts.blocks == 0 && counts.bytes == 0);
    console_print("heap: %u operations, %zu KiB of memory\n", (unsigned)HEAP_ROUNDS,
                  counts.backed >> 10);
}

void memory_check_run(const char *argument)
{
    (void)argument;
    check_frames();
    check_spaces();
    check_heap();
    console_print("memory: as it should be\n");
    console_flush();
    arch_exit_emulator(EXIT_DONE);
}
