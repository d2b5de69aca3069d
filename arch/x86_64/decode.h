/*
 * decode.h - an instruction of ring 0 taken apart, its operands ready to be read and written.
 */
#ifndef ARCH_X86_64_DECODE_H
#define ARCH_X86_64_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

enum instruction_limits {
    INSTRUCTION_BYTES = 15, /* SDM 2A 2.3.11 */
};

/* What an opcode has behind it, and the size of what it works on. */
enum instruction_form {
    FORM_MODRM = 1 << 0,
    FORM_IMM8 = 1 << 1,
    FORM_IMM = 1 << 2,   /* as long as the operand, at most 4 */
    FORM_IMM64 = 1 << 3, /* as long as the operand */
    FORM_BYTE = 1 << 4,  /* an even opcode works on bytes */
    FORM_STACK = 1 << 5, /* 64 bits without being told */
};

enum opcode_map {
    OPCODE_TWO_BYTES = 0x100, /* behind 0F */
};

struct instruction {
    struct trap_frame *frame;
    uint8_t bytes[INSTRUCTION_BYTES + 16]; /* values are taken by reads of 8 */
    size_t len;                            /* taken so far; in the end, of all */
    bool rex, wide, narrow;
    unsigned reg, rm, base, index; /* with the bits of REX */
    unsigned opcode;               /* | OPCODE_TWO_BYTES */
    unsigned size;                 /* of the operand: 1, 2, 4 or 8 bytes */
    bool in_memory;                /* rm is there, at `address` */
    uint64_t address;
    uint64_t immediate; /* sign-extended */
};

/* Take prefixes, as far as they are known here, and opcode: another prefix is taken for that. */
void decode_opcode(struct instruction *instruction);
/* Take the rest, which is of that form.  `len` may then be more bytes than there are. */
void decode_operands(struct instruction *instruction, unsigned form);

/* The lowest `size` bytes; sign-extended. */
uint64_t truncate_value(uint64_t value, unsigned size);
uint64_t extend_value(uint64_t value, unsigned size);

/* A general register, numbered as in instructions. */
bool read_general(const struct instruction *instruction, unsigned number, unsigned size,
                  uint64_t *value);
bool write_general(struct instruction *instruction, unsigned number, unsigned size, uint64_t value);

/* The operand that is memory or a register.  False if it cannot be reached. */
bool read_operand(const struct instruction *instruction, unsigned size, uint64_t *value);
bool write_operand(struct instruction *instruction, unsigned size, uint64_t value);

/* Memory in one access of 1, 2, 4 or 8 bytes.  False if it cannot be reached. */
bool read_word(uint64_t address, unsigned size, uint64_t *value);
bool write_word(uint64_t address, unsigned size, uint64_t value);

#endif
