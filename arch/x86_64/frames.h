/*
 * frames.h - page frames for the architecture's own use, and what of memory boot has left.
 */
#ifndef ARCH_X86_64_FRAMES_H
#define ARCH_X86_64_FRAMES_H

#include <stdint.h>

/* A zeroed page frame's physical address; 0 if there is none left.  Until arch_use_frames() from
 * the top of what the boot page tables map downwards, clear of the image, boot modules, what is
 * kept for crash records and the first megabyte, for ever, and only on the first CPU; then from the
 * kernel. */
uint64_t frame_take(void);

/* Give one back that was taken after arch_use_frames(). */
void frame_give(uint64_t frame);

#endif
