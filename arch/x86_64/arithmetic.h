/*
 * arithmetic.h - the flags, and the instructions that set them.  Each run_ function does what the
 * instruction does; false, with nothing changed, if it cannot.
 */
#ifndef ARCH_X86_64_ARITHMETIC_H
#define ARCH_X86_64_ARITHMETIC_H

#include "decode.h"

enum flag_bits {
    FLAG_CARRY = 1 << 0,
    FLAG_PARITY = 1 << 2,
    FLAG_ADJUST = 1 << 4,
    FLAG_ZERO = 1 << 6,
    FLAG_SIGN = 1 << 7,
    FLAG_OVERFLOW = 1 << 11,
    FLAGS = FLAG_CARRY | FLAG_PARITY | FLAG_ADJUST | FLAG_ZERO | FLAG_SIGN | FLAG_OVERFLOW,
};

bool run_arithmetic(struct instruction *in);           /* 00 to 3B: rm and a register */
bool run_arithmetic_rax(struct instruction *in);       /* 04 to 3D: rax and an immediate */
bool run_arithmetic_immediate(struct instruction *in); /* 80 81 83 */
bool run_test(struct instruction *in);                 /* 84 85 */
bool run_test_rax(struct instruction *in);             /* A8 A9 */
bool run_multiply(struct instruction *in);             /* 0F AF */
bool run_multiply_immediate(struct instruction *in);   /* 69 6B */
bool run_group_3(struct instruction *in);              /* F6 F7: not, neg */
bool count_by_one(struct instruction *in, bool up);    /* FE FF: inc, dec */

#endif
