/*
 * x87.h - the image that FXSAVE writes, and the x87 registers in it.
 */
#ifndef ARCH_X86_64_X87_H
#define ARCH_X86_64_X87_H

#include <stdint.h>

/* The FXSAVE image (SDM 1, table 10-2). */
struct fpu_image {
    uint16_t fctrl, fstat;
    uint8_t tags; /* abridged: bit n is set if physical register n is not empty */
    uint8_t reserved;
    uint16_t fop;
    uint32_t fioff, fiseg, fooff, foseg;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t unused[96];
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct fpu_image) == 512, "SDM 1, table 10-2");

enum x87 {
    X87_fctrl,
    X87_fstat,
    X87_ftag,
    X87_fiseg,
    X87_fioff,
    X87_foseg,
    X87_fooff,
    X87_fop,
};

/* The control register `which` in GDB's shape: 32 bits, tags as two bits each. */
uint32_t x87_read(const struct fpu_image *image, enum x87 which);
void x87_write(struct fpu_image *image, enum x87 which, uint32_t value);

#endif
