/*
 * frames.h - physical memory, page frame by page frame, of which each has one owner.
 */
#ifndef KERNEL_FRAMES_H
#define KERNEL_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct frame_counts {
    size_t free, used;  /* frames, now */
    size_t lowest_free; /* the fewest that ever were */
};

/* Make all memory that boot has left the kernel's own, and the architecture's from here on.  Once,
 * right after arch_init_memory(). */
void frames_init(void);

/* A zeroed frame's physical address (arch_physical() shows it), 0 if there is none left.  Needs no
 * other lock: may be called with any held. */
uint64_t frames_take(void);

/* Give back a frame that was taken; panics, and names it, if it is not. */
void frames_give(uint64_t frame);

struct frame_counts frames_counts(void);

#endif
