/*
 * stress_memory.c - blocks of the heap and page frames, taken and given back by all CPUs at once.
 *
 * Each is filled with what only its owner knows, so that two owners of the same show.
 */
#include <stddef.h>

#include "frames.h"
#include "heap.h"
#include "panic.h"
#include "stress_work.h"
#include "string.h"
#include "thread.h"

enum {
    BLOCKS = 32, /* of one worker */
    BLOCK_BYTES = 4096,
    BLOCKS_PER_CHECK = 512, /* the whole heap is looked at */
    BLOCKS_PER_TURN = 16,
    FRAMES = 24,
    FRAME_WORDS = ARCH_PAGE_BYTES / sizeof(uint64_t),
};

struct block {
    uint8_t *bytes; /* NULL: nothing allocated */
    size_t size;
    uint8_t fill;
};

static void allocate(struct stress_job *job, struct block *block)
{
    block->size = 1 + stress_random(job, UINT64_C(1) << stress_random(job, 13));
    block->fill = (uint8_t)stress_random(job, 256);
    block->bytes = heap_alloc(block->size);
    if (block->bytes == NULL)
        panic("stress: the heap has no %zu bytes", block->size);
    for (size_t i = 0; i < block->size; i++)
        kassert(block->bytes[i] == HEAP_FILL_NEW);
    memset(block->bytes, block->fill, block->size);
}

static void give_back(struct block *block)
{
    if (block->bytes == NULL)
        return;
    for (size_t i = 0; i < block->size; i++)
        kassert(block->bytes[i] == block->fill);
    heap_free(block->bytes);
    block->bytes = NULL;
}

void stress_heap(struct stress_job *job)
{
    struct block blocks[BLOCKS] = {{0}};

    do {
        struct block *block = &blocks[stress_random(job, BLOCKS)];

        if (block->bytes == NULL)
            allocate(job, block);
        else
            give_back(block);
        if (++job->done % BLOCKS_PER_CHECK == 0)
            heap_check();
        if (job->done % BLOCKS_PER_TURN == 0)
            thread_yield();
    } while (!stress_is_over());
    for (size_t i = 0; i < BLOCKS; i++)
        give_back(&blocks[i]);
}

/* A frame is zeroed when it is taken, and keeps what is written to it. */
static uint64_t take_frame(uint64_t mark)
{
    uint64_t frame = frames_take(), *words;

    if (frame == 0)
        panic("stress: there is no page frame left");
    words = arch_physical(frame);
    for (size_t i = 0; i < FRAME_WORDS; i++) {
        kassert(words[i] == 0);
        words[i] = mark ^ frame ^ i;
    }
    return frame;
}

static void give_frame(uint64_t frame, uint64_t mark)
{
    const uint64_t *words = arch_physical(frame);

    for (size_t i = 0; i < FRAME_WORDS; i++)
        kassert(words[i] == (mark ^ frame ^ i));
    frames_give(frame);
}

void stress_frames(struct stress_job *job)
{
    uint64_t frames[FRAMES];

    do {
        uint64_t mark = stress_random(job, UINT64_MAX);
        size_t count = 1 + stress_random(job, FRAMES);

        for (size_t i = 0; i < count; i++)
            frames[i] = take_frame(mark + i);
        thread_yield();
        for (size_t i = 0; i < count; i++)
            give_frame(frames[i], mark + i);
        job->done += count;
    } while (!stress_is_over());
}
