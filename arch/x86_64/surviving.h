/*
 * surviving.h - the range of memory that resets leave alone, for those who give memory out.
 */
#ifndef ARCH_X86_64_SURVIVING_H
#define ARCH_X86_64_SURVIVING_H

#include <stdbool.h>
#include <stdint.h>

/* Is the page frame kept for crash records? */
bool is_surviving_frame(uint64_t frame);

#endif
