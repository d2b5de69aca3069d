/*
 * frames.h - page frames for ever: taken from the boot loader's memory map, never given back.
 */
#ifndef ARCH_X86_64_FRAMES_H
#define ARCH_X86_64_FRAMES_H

#include <stdint.h>

/* A zeroed page frame's physical address, below what the boot page tables map directly; 0 if there
 * is none left.  Taken from the top of memory downwards, clear of the image, boot modules, what
 * is kept for crash records and the first megabyte.  Only the first CPU, before threads exist. */
uint64_t frame_take(void);

#endif
