/*
 * decode.c - takes instructions apart (SDM 2A 2.1, 2.2) and reaches their operands.  Knows no
 * segments but flat ones, no address size but 64 bits, and none of AH, CH, DH, BH.
 */
#include "decode.h"

#include "calls.h"

enum prefix_bytes {
    PREFIX_OPERAND = 0x66,
    ESCAPE = 0x0f,
};

static const uint8_t register_offsets[] = {
    offsetof(struct trap_frame, rax), offsetof(struct trap_frame, rcx),
    offsetof(struct trap_frame, rdx), offsetof(struct trap_frame, rbx),
    offsetof(struct trap_frame, rsp), offsetof(struct trap_frame, rbp),
    offsetof(struct trap_frame, rsi), offsetof(struct trap_frame, rdi),
    offsetof(struct trap_frame, r8),  offsetof(struct trap_frame, r9),
    offsetof(struct trap_frame, r10), offsetof(struct trap_frame, r11),
    offsetof(struct trap_frame, r12), offsetof(struct trap_frame, r13),
    offsetof(struct trap_frame, r14), offsetof(struct trap_frame, r15),
};

enum register_numbers {
    NUMBER_RSP = 4,
    NUMBER_RBP = 5,
};

static uint64_t *general(const struct instruction *instruction, unsigned number)
{
    return (uint64_t *)(void *)((uint8_t *)instruction->frame + register_offsets[number]);
}

uint64_t truncate_value(uint64_t value, unsigned size)
{
    return size == 8 ? value : value & (((uint64_t)1 << (8 * size)) - 1);
}

uint64_t extend_value(uint64_t value, unsigned size)
{
    uint64_t sign = (uint64_t)1 << (8 * size - 1);

    return (truncate_value(value, size) ^ sign) - sign;
}

/* ---- Taking apart ---- */

static uint8_t take(struct instruction *instruction)
{
    return instruction->bytes[instruction->len++];
}

static uint64_t take_value(struct instruction *instruction, unsigned size)
{
    uint64_t value;

    __builtin_memcpy(&value, &instruction->bytes[instruction->len], sizeof(value));
    instruction->len += size;
    return extend_value(value, size);
}

void decode_opcode(struct instruction *instruction)
{
    uint8_t byte = take(instruction);

    if (byte == PREFIX_OPERAND) {
        instruction->narrow = true;
        byte = take(instruction);
    }
    if (byte >> 4 == 4) {
        instruction->rex = true;
        instruction->wide = (byte & 8) != 0;
        instruction->reg = (byte & 4u) << 1;
        instruction->index = (byte & 2u) << 2;
        instruction->base = instruction->rm = (byte & 1u) << 3;
        byte = take(instruction);
    }
    instruction->opcode = byte;
    if (byte == ESCAPE)
        instruction->opcode = OPCODE_TWO_BYTES | take(instruction);
}

/* The address that ModRM and SIB describe; rip-relative ones lack rip. */
static uint64_t take_address(struct instruction *instruction, unsigned mod, unsigned rm,
                             bool *relative)
{
    uint64_t address = 0;
    unsigned base = rm;

    *relative = mod == 0 && rm == NUMBER_RBP;
    if (rm == NUMBER_RSP) {
        uint8_t sib = take(instruction);
        unsigned index = instruction->index | (sib >> 3 & 7u);
        base = sib & 7;
        if (index != NUMBER_RSP)
            address = *general(instruction, index) << (sib >> 6);
    }
    if (mod != 0 || base != NUMBER_RBP)
        address += *general(instruction, base | instruction->base);
    else
        mod = 2;
    if (mod != 0)
        address += take_value(instruction, mod == 1 ? 1 : 4);
    return address;
}

void decode_operands(struct instruction *instruction, unsigned form)
{
    bool relative = false;

    instruction->size = instruction->wide || (form & FORM_STACK) != 0 ? 8
                        : instruction->narrow                         ? 2
                                                                      : 4;
    if ((form & FORM_BYTE) != 0 && (instruction->opcode & 1) == 0)
        instruction->size = 1;
    if ((form & FORM_MODRM) != 0) {
        uint8_t modrm = take(instruction);
        instruction->reg |= modrm >> 3 & 7u;
        instruction->rm |= modrm & 7u;
        instruction->in_memory = modrm >> 6 != 3;
        if (instruction->in_memory)
            instruction->address = take_address(instruction, modrm >> 6, modrm & 7, &relative);
    }
    if ((form & FORM_IMM8) != 0)
        instruction->immediate = take_value(instruction, 1);
    else if ((form & FORM_IMM64) != 0)
        instruction->immediate = take_value(instruction, instruction->size);
    else if ((form & FORM_IMM) != 0)
        instruction->immediate =
            take_value(instruction, instruction->size < 4 ? instruction->size : 4);
    if (relative)
        instruction->address += instruction->frame->rip + instruction->len;
}

/* ---- Operands ---- */

static bool is_high_byte(const struct instruction *instruction, unsigned number, unsigned size)
{
    return size == 1 && !instruction->rex && number >= NUMBER_RSP;
}

bool read_general(const struct instruction *instruction, unsigned number, unsigned size,
                  uint64_t *value)
{
    *value = truncate_value(*general(instruction, number), size);
    return !is_high_byte(instruction, number, size);
}

/* Four bytes clear those above them; less keep them (SDM 1 3.4.1.1). */
bool write_general(struct instruction *instruction, unsigned number, unsigned size, uint64_t value)
{
    uint64_t *reg = general(instruction, number);
    uint64_t kept = size < 4 ? *reg - truncate_value(*reg, size) : 0;

    if (is_high_byte(instruction, number, size))
        return false;
    *reg = kept | truncate_value(value, size);
    return true;
}

bool read_word(uint64_t address, unsigned size, uint64_t *value)
{
    static bool (*const read[])(uint64_t address, uint64_t * value) = {
        [1] = probe_read_1, [2] = probe_read_2, [4] = probe_read_4, [8] = probe_read_8};

    return read[size](address, value);
}

bool write_word(uint64_t address, unsigned size, uint64_t value)
{
    static bool (*const write[])(uint64_t address, uint64_t value) = {
        [1] = probe_write_1, [2] = probe_write_2, [4] = probe_write_4, [8] = probe_write_8};

    return write[size](address, value);
}

bool read_operand(const struct instruction *instruction, unsigned size, uint64_t *value)
{
    if (instruction->in_memory)
        return read_word(instruction->address, size, value);
    return read_general(instruction, instruction->rm, size, value);
}

bool write_operand(struct instruction *instruction, unsigned size, uint64_t value)
{
    if (instruction->in_memory)
        return write_word(instruction->address, size, value);
    return write_general(instruction, instruction->rm, size, value);
}
