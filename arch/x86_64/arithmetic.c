/*
 * arithmetic.c - instructions that calculate, with the flags that they leave (SDM 1 3.4.3.1). Flags
 * that the manual leaves undefined have any value.
 */
#include "arithmetic.h"

/* In opcodes 00 to 3F and in ModRM of group 1 (SDM 2D A.4). */
enum arithmetic {
    ARITHMETIC_ADD,
    ARITHMETIC_OR,
    ARITHMETIC_ADC,
    ARITHMETIC_SBB,
    ARITHMETIC_AND,
    ARITHMETIC_SUB,
    ARITHMETIC_XOR,
    ARITHMETIC_CMP,
};

/* In ModRM of group 3. */
enum group_3 {
    GROUP_NOT = 2,
    GROUP_NEG = 3,
};

static void set_flags(struct instruction *in, uint64_t flags)
{
    in->frame->rflags = (in->frame->rflags & ~(uint64_t)FLAGS) | flags;
}

/* What every result says of itself. */
static uint64_t result_flags(uint64_t result, unsigned size)
{
    uint64_t ones = result ^ result >> 4;

    ones ^= ones >> 2;
    ones ^= ones >> 1;
    return (truncate_value(result, size) == 0 ? FLAG_ZERO : 0u) |
           ((result >> (8 * size - 1) & 1) != 0 ? FLAG_SIGN : 0u) |
           ((ones & 1) == 0 ? FLAG_PARITY : 0u);
}

/* Sum or difference and its flags; `carries` has the carry or borrow out of each bit. */
static uint64_t add_up(struct instruction *in, enum arithmetic operation, uint64_t a, uint64_t b,
                       bool carry)
{
    bool add = operation == ARITHMETIC_ADD || operation == ARITHMETIC_ADC;
    uint64_t result = add ? a + b + carry : a - b - carry;
    uint64_t carries = add ? (a & b) | ((a | b) & ~result) : (~a & b) | ((~a | b) & result);
    uint64_t overflows = add ? (a ^ result) & (b ^ result) : (a ^ b) & (a ^ result);
    unsigned top = 8 * in->size - 1;

    set_flags(in, result_flags(result, in->size) | ((carries >> top & 1) != 0 ? FLAG_CARRY : 0u) |
                      ((carries >> 3 & 1) != 0 ? FLAG_ADJUST : 0u) |
                      ((overflows >> top & 1) != 0 ? FLAG_OVERFLOW : 0u));
    return result;
}

static uint64_t calculate(struct instruction *in, enum arithmetic operation, uint64_t a, uint64_t b)
{
    bool carry = (in->frame->rflags & FLAG_CARRY) != 0;
    uint64_t result;

    switch (operation) {
    case ARITHMETIC_ADC:
    case ARITHMETIC_SBB:
        return add_up(in, operation, a, b, carry);
    case ARITHMETIC_ADD:
    case ARITHMETIC_SUB:
    case ARITHMETIC_CMP:
        return add_up(in, operation, a, b, false);
    case ARITHMETIC_OR:
        result = a | b;
        break;
    case ARITHMETIC_AND:
        result = a & b;
        break;
    default:
        result = a ^ b;
        break;
    }
    set_flags(in, result_flags(result, in->size));
    return result;
}

/* rm = rm OPERATION b; cmp and `test` keep nothing. */
static bool change_operand(struct instruction *in, enum arithmetic operation, uint64_t b, bool keep)
{
    uint64_t flags = in->frame->rflags, a;

    if (!read_operand(in, in->size, &a))
        return false;
    a = calculate(in, operation, a, b);
    if (!keep || operation == ARITHMETIC_CMP || write_operand(in, in->size, a))
        return true;
    in->frame->rflags = flags;
    return false;
}

bool run_arithmetic(struct instruction *in)
{
    enum arithmetic operation = (enum arithmetic)(in->opcode >> 3 & 7);
    uint64_t a, b;

    if (!read_general(in, in->reg, in->size, &b))
        return false;
    if ((in->opcode & 2) == 0)
        return change_operand(in, operation, b, true);
    a = b;
    if (!read_operand(in, in->size, &b))
        return false;
    a = calculate(in, operation, a, b);
    return operation == ARITHMETIC_CMP || write_general(in, in->reg, in->size, a);
}

bool run_arithmetic_rax(struct instruction *in)
{
    in->rm = 0; /* rax */
    return change_operand(in, (enum arithmetic)(in->opcode >> 3 & 7), in->immediate, true);
}

bool run_arithmetic_immediate(struct instruction *in)
{
    return change_operand(in, (enum arithmetic)(in->reg & 7), in->immediate, true);
}

bool run_test(struct instruction *in)
{
    uint64_t value;

    return read_general(in, in->reg, in->size, &value) &&
           change_operand(in, ARITHMETIC_AND, value, false);
}

bool run_test_rax(struct instruction *in)
{
    in->rm = 0; /* rax */
    return change_operand(in, ARITHMETIC_AND, in->immediate, false);
}

/* The carry stays. */
bool count_by_one(struct instruction *in, bool up)
{
    uint64_t carry = in->frame->rflags & FLAG_CARRY;

    if (!change_operand(in, up ? ARITHMETIC_ADD : ARITHMETIC_SUB, 1, true))
        return false;
    in->frame->rflags = (in->frame->rflags & ~(uint64_t)FLAG_CARRY) | carry;
    return true;
}

static bool multiply(struct instruction *in, uint64_t factor)
{
    uint64_t value;
    int64_t product;

    if (!read_operand(in, in->size, &value))
        return false;
    bool overflow = __builtin_mul_overflow((int64_t)extend_value(value, in->size),
                                           (int64_t)extend_value(factor, in->size), &product);
    overflow = overflow || extend_value((uint64_t)product, in->size) != (uint64_t)product;
    if (!write_general(in, in->reg, in->size, (uint64_t)product))
        return false;
    set_flags(in, result_flags((uint64_t)product, in->size) |
                      (overflow ? FLAG_CARRY | FLAG_OVERFLOW : 0u));
    return true;
}

bool run_multiply(struct instruction *in)
{
    uint64_t value;

    return read_general(in, in->reg, in->size, &value) && multiply(in, value);
}

bool run_multiply_immediate(struct instruction *in)
{
    return multiply(in, in->immediate);
}

/* F6 and F7: test, which alone has an immediate, is not here. */
bool run_group_3(struct instruction *in)
{
    uint64_t flags = in->frame->rflags, value;
    unsigned which = in->reg & 7;

    if ((which != GROUP_NOT && which != GROUP_NEG) || !read_operand(in, in->size, &value))
        return false;
    if (which == GROUP_NOT)
        return write_operand(in, in->size, ~value);
    if (write_operand(in, in->size, add_up(in, ARITHMETIC_SUB, 0, value, false)))
        return true;
    in->frame->rflags = flags;
    return false;
}
