/*
 * surviving.h - the range of memory that resets leave alone, for those who give memory out.
 */
#ifndef ARCH_X86_64_SURVIVING_H
#define ARCH_X86_64_SURVIVING_H

/* Kept for crash records.  Resets in QEMU, GRUB included, spare what is between 1.5 and 60 MiB. */
enum surviving_range {
    SURVIVING_START = 16 << 20,
    SURVIVING_END = 17 << 20,
};

#endif
