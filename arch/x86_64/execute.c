/*
 * execute.c - does in a frame what an instruction would do, for a thread that goes on over a
 * breakpoint: no step, nothing to lift, no other CPU to hold.
 *
 * Knows the common instructions of compiled ring 0 code.  Whatever it does not know exactly, it
 * leaves to a real step: locked and repeated ones, other segments, user code, what could fault.
 */
#include "arch/arch.h"
#include "arithmetic.h"
#include "calls.h"
#include "decode.h"
#include "points.h"

enum registers {
    RAX = 0,
    RDX = 2,
    POINTER = 8, /* bytes */
};

/* ---- Moving ---- */

static bool run_store(struct instruction *in)
{
    uint64_t value;

    return read_general(in, in->reg, in->size, &value) && write_operand(in, in->size, value);
}

static bool run_load(struct instruction *in)
{
    uint64_t value;

    return read_operand(in, in->size, &value) && write_general(in, in->reg, in->size, value);
}

static bool run_store_immediate(struct instruction *in)
{
    return (in->reg & 7) == 0 && write_operand(in, in->size, in->immediate);
}

static bool run_load_immediate(struct instruction *in)
{
    if (in->opcode < 0xb8)
        in->size = 1;
    return write_general(in, (in->opcode & 7) | in->base, in->size, in->immediate);
}

static bool run_address(struct instruction *in)
{
    return in->in_memory && write_general(in, in->reg, in->size, in->address);
}

/* movzx, movsx, movsxd */
static bool run_widen(struct instruction *in)
{
    unsigned from = in->opcode == 0x63 ? 4 : (in->opcode & 1) != 0 ? 2 : 1;
    bool sign = in->opcode == 0x63 || (in->opcode & 8) != 0;
    uint64_t value;

    return read_operand(in, from, &value) &&
           write_general(in, in->reg, in->size, sign ? extend_value(value, from) : value);
}

/* cbw, cwde, cdqe */
static bool run_widen_rax(struct instruction *in)
{
    uint64_t value;

    return read_general(in, RAX, in->size / 2, &value) &&
           write_general(in, RAX, in->size, extend_value(value, in->size / 2));
}

/* cwd, cdq, cqo */
static bool run_sign_rax(struct instruction *in)
{
    uint64_t value;

    return read_general(in, RAX, in->size, &value) &&
           write_general(in, RDX, in->size, 0 - (value >> (8 * in->size - 1)));
}

/* ---- Stack and control ---- */

static bool push(struct instruction *in, uint64_t value)
{
    if (in->narrow || !write_word(in->frame->rsp - POINTER, POINTER, value))
        return false;
    in->frame->rsp -= POINTER;
    return true;
}

static bool pop(struct instruction *in, uint64_t *value)
{
    if (in->narrow || !read_word(in->frame->rsp, POINTER, value))
        return false;
    in->frame->rsp += POINTER;
    return true;
}

static bool run_push(struct instruction *in)
{
    uint64_t value;

    return read_general(in, (in->opcode & 7) | in->base, POINTER, &value) && push(in, value);
}

static bool run_push_immediate(struct instruction *in)
{
    return push(in, in->immediate);
}

static bool run_pop(struct instruction *in)
{
    uint64_t value;

    return pop(in, &value) && write_general(in, (in->opcode & 7) | in->base, POINTER, value);
}

static bool run_leave(struct instruction *in)
{
    uint64_t value;

    if (in->narrow || !read_word(in->frame->rbp, POINTER, &value))
        return false;
    in->frame->rsp = in->frame->rbp + POINTER;
    in->frame->rbp = value;
    return true;
}

/* Could there be code?  A return to anywhere else would fault in the way out of the trap. */
static bool is_canonical(uint64_t target)
{
    return target >> 47 == 0 || target >> 47 == 0x1ffff;
}

/* The target is where the instruction after this one would be, and so much further on. */
static uint64_t relative_target(const struct instruction *in)
{
    return in->frame->rip + in->immediate;
}

static bool jump_to(struct instruction *in, uint64_t target)
{
    if (in->narrow || !is_canonical(target))
        return false;
    in->frame->rip = target;
    return true;
}

static bool call_to(struct instruction *in, uint64_t target)
{
    return is_canonical(target) && push(in, in->frame->rip) && jump_to(in, target);
}

static bool run_return(struct instruction *in)
{
    uint64_t target;

    if (!read_word(in->frame->rsp, POINTER, &target) || !jump_to(in, target))
        return false;
    in->frame->rsp += POINTER;
    return true;
}

static bool run_call(struct instruction *in)
{
    return call_to(in, relative_target(in));
}

static bool run_jump(struct instruction *in)
{
    return jump_to(in, relative_target(in));
}

/* The conditions of jcc, setcc and cmovcc (SDM 1 B.1): of each pair, the second is its opposite. */
static bool is_true(const struct instruction *in)
{
    uint64_t flags = in->frame->rflags;
    bool less = ((flags & FLAG_SIGN) != 0) != ((flags & FLAG_OVERFLOW) != 0);
    static const uint16_t masks[] = {FLAG_OVERFLOW, FLAG_CARRY,  FLAG_ZERO, FLAG_CARRY | FLAG_ZERO,
                                     FLAG_SIGN,     FLAG_PARITY, 0,         FLAG_ZERO};
    unsigned pair = in->opcode >> 1 & 7;
    bool met = (flags & masks[pair]) != 0 || (pair >= 6 && less);

    return met == ((in->opcode & 1) == 0);
}

static bool run_jump_if(struct instruction *in)
{
    return jump_to(in, is_true(in) ? relative_target(in) : in->frame->rip);
}

static bool run_set_if(struct instruction *in)
{
    return write_operand(in, 1, is_true(in));
}

/* It reads whether or not it moves, and clears the upper half of a register (SDM 2A CMOVcc). */
static bool run_move_if(struct instruction *in)
{
    uint64_t from, to;

    return read_operand(in, in->size, &from) && read_general(in, in->reg, in->size, &to) &&
           write_general(in, in->reg, in->size, is_true(in) ? from : to);
}

/* With another base, 90 is an exchange. */
static bool run_nothing(struct instruction *in)
{
    return in->base == 0 || in->opcode != 0x90;
}

/* ---- Groups ---- */

enum group {
    GROUP_INC = 0,
    GROUP_DEC = 1,
    GROUP_CALL = 2,
    GROUP_JUMP = 4,
    GROUP_PUSH = 6,
};

static bool run_group_5(struct instruction *in)
{
    unsigned which = in->reg & 7;
    uint64_t value;

    if (which == GROUP_INC || which == GROUP_DEC)
        return count_by_one(in, which == GROUP_INC);
    if (in->size == 1 || (which & 1) != 0 || !read_operand(in, POINTER, &value))
        return false;
    if (which == GROUP_PUSH)
        return push(in, value);
    return which == GROUP_CALL ? call_to(in, value) : jump_to(in, value);
}

/* ---- The table (SDM 2D A.3) ---- */

struct row {
    uint16_t first, last; /* opcodes */
    uint8_t form;
    bool (*run)(struct instruction *in);
};

enum {
    TWO = OPCODE_TWO_BYTES,
    BOTH = FORM_MODRM | FORM_BYTE,
};

static const struct row rows[] = {
    {0x88, 0x89, BOTH, run_store},
    {0x8a, 0x8b, BOTH, run_load},
    {0x50, 0x57, FORM_STACK, run_push},
    {0x8d, 0x8d, FORM_MODRM, run_address},
    {0x80, 0x80, BOTH | FORM_IMM8, run_arithmetic_immediate},
    {0x81, 0x81, FORM_MODRM | FORM_IMM, run_arithmetic_immediate},
    {0x83, 0x83, FORM_MODRM | FORM_IMM8, run_arithmetic_immediate},
    {0x84, 0x85, BOTH, run_test},
    {0xc6, 0xc7, BOTH | FORM_IMM, run_store_immediate},
    {0xe8, 0xe8, FORM_STACK | FORM_IMM, run_call},
    {0x70, 0x7f, FORM_IMM8, run_jump_if},
    {0xb8, 0xbf, FORM_IMM64, run_load_immediate},
    {0x58, 0x5f, FORM_STACK, run_pop},
    {0x63, 0x63, FORM_MODRM, run_widen},
    {0x68, 0x68, FORM_STACK | FORM_IMM, run_push_immediate},
    {0x69, 0x69, FORM_MODRM | FORM_IMM, run_multiply_immediate},
    {0x6a, 0x6a, FORM_STACK | FORM_IMM8, run_push_immediate},
    {0x6b, 0x6b, FORM_MODRM | FORM_IMM8, run_multiply_immediate},
    {0x90, 0x90, 0, run_nothing},
    {0x98, 0x98, 0, run_widen_rax},
    {0x99, 0x99, 0, run_sign_rax},
    {0xa8, 0xa9, FORM_BYTE | FORM_IMM, run_test_rax},
    {0xb0, 0xb7, FORM_IMM8, run_load_immediate},
    {0xc3, 0xc3, FORM_STACK, run_return},
    {0xc9, 0xc9, FORM_STACK, run_leave},
    {0xe9, 0xe9, FORM_STACK | FORM_IMM, run_jump},
    {0xeb, 0xeb, FORM_IMM8, run_jump},
    {0xf6, 0xf7, BOTH, run_group_3},
    {0xfe, 0xff, BOTH, run_group_5},
    {TWO | 0x1f, TWO | 0x1f, FORM_MODRM, run_nothing},
    {TWO | 0x40, TWO | 0x4f, FORM_MODRM, run_move_if},
    {TWO | 0x80, TWO | 0x8f, FORM_STACK | FORM_IMM, run_jump_if},
    {TWO | 0x90, TWO | 0x9f, FORM_MODRM, run_set_if},
    {TWO | 0xaf, TWO | 0xaf, FORM_MODRM, run_multiply},
    {TWO | 0xb6, TWO | 0xb7, FORM_MODRM, run_widen},
    {TWO | 0xbe, TWO | 0xbf, FORM_MODRM, run_widen},
};

static const struct row arithmetic_rows[] = {
    {0, 0, BOTH, run_arithmetic},
    {0, 0, FORM_BYTE | FORM_IMM, run_arithmetic_rax},
};

/* By opcode.  Made when it is first needed: should several CPUs do so, they write the same. */
static struct {
    bool made;
    const struct row *rows[2 * TWO];
} found;

static void make_index(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned opcode = rows[i].first; opcode <= rows[i].last; opcode++)
            found.rows[opcode] = &rows[i];
    }
    for (unsigned opcode = 0; opcode < 0x40; opcode++) {
        if ((opcode & 7) < 6)
            found.rows[opcode] = &arithmetic_rows[opcode >> 2 & 1];
    }
    __atomic_store_n(&found.made, true, __ATOMIC_RELEASE);
}

static const struct row *find_row(unsigned opcode)
{
    if (!__atomic_load_n(&found.made, __ATOMIC_ACQUIRE))
        make_index();
    return found.rows[opcode];
}

/* Returns how many bytes of the instruction can be read. */
static size_t fetch(uint64_t address, uint8_t bytes[2 * sizeof(uint64_t)])
{
    uint64_t words[2];

    if (!probe_read_8(address, &words[0]) || !probe_read_8(address + sizeof(words[0]), &words[1]))
        return arch_copy_from(bytes, address, INSTRUCTION_BYTES); /* memory ends here, perhaps */
    __builtin_memcpy(bytes, words, sizeof(words));
    return INSTRUCTION_BYTES;
}

/* With the frame's rip at the instruction. */
static bool execute(struct trap_frame *frame, const uint8_t *original, size_t len)
{
    struct instruction in = {.frame = frame};
    size_t got = fetch(frame->rip, in.bytes);

    for (size_t i = 0; i < len; i++)
        in.bytes[i] = original[i];
    decode_opcode(&in);
    const struct row *row = find_row(in.opcode);
    if (row == NULL)
        return false;
    decode_operands(&in, row->form);
    if (in.len > got)
        return false;
    frame->rip += in.len;
    return row->run(&in);
}

bool arch_execute(struct trap_frame *frame, uint64_t address, const uint8_t *original, size_t len)
{
    uint64_t before = frame->rip;

    if ((frame->cs & 3) != 0 || points_watch())
        return false;
    frame->rip = address;
    if (execute(frame, original, len))
        return true;
    frame->rip = before;
    return false;
}
