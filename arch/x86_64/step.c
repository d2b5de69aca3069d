/*
 * step.c - single steps by TF (SDM 3B 17.3.1.4), and the instructions that must not notice.
 *
 * pushf would save TF for a later popf to bring back: the saved flags are corrected after the step.
 * hlt would wait, with interrupts off for ever: it counts as executed.  So does sti before it: an
 * emulator that traps after both would wait.
 */
#include "step.h"

#include "arch/arch.h"
#include "calls.h"
#include "instructions.h"

enum step_bits {
    RFLAGS_TF = 1 << 8,
    RFLAGS_IF = 1 << 9,
};

enum opcodes {
    OPCODE_PUSHF = 0x9c,
    OPCODE_HLT = 0xf4,
    OPCODE_STI = 0xfb,
    PREFIX_REX = 0x40, /* to 4F */
    PREFIXES = 14,     /* an instruction has 15 bytes at most */
};

enum {
    HIGHEST_PRIORITY = 15, /* CR8 */
};

/* Does the instruction that each CPU steps save its flags? */
static bool saves_flags[ARCH_CPUS];

/* Is the task priority that of a step, and what was it before? */
static volatile struct {
    bool active;
    uint64_t priority;
} held[ARCH_CPUS];

static bool is_rex(uint8_t byte)
{
    return (byte & 0xf0) == PREFIX_REX;
}

static bool is_prefix(uint8_t byte)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0xf0, 0xf2, 0xf3};

    for (size_t i = 0; i < sizeof(prefixes); i++) {
        if (byte == prefixes[i])
            return true;
    }
    return is_rex(byte);
}

/* The opcode's first byte behind any prefixes; 0, which neither of ours is, if it cannot be read.
 */
static uint8_t opcode_at(uint64_t address)
{
    uint8_t byte;

    for (unsigned i = 0; i <= PREFIXES; i++) {
        if (arch_copy_from(&byte, address + i, sizeof(byte)) < sizeof(byte))
            return 0;
        if (!is_prefix(byte))
            return byte;
    }
    return 0;
}

void arch_parked_set_step(struct trap_frame *frame, bool step)
{
    if (step)
        frame->rflags |= RFLAGS_TF;
    else
        frame->rflags &= ~(uint64_t)RFLAGS_TF;
}

/* The highest task priority holds all interrupts back (SDM 3A 11.8.3.1): IF stays what the code
 * made it.  An NMI may come anywhere in here and do the same: it must not take a priority that is
 * held for the one to go back to. */
static void hold_interrupts(unsigned cpu, bool hold)
{
    uint64_t priority;

    if (held[cpu].active == hold)
        return;
    if (hold && (priority = read_cr8()) != HIGHEST_PRIORITY)
        held[cpu].priority = priority;
    write_cr8(hold ? HIGHEST_PRIORITY : held[cpu].priority);
    held[cpu].active = hold;
}

void step_end(unsigned cpu)
{
    hold_interrupts(cpu, false);
}

void arch_step_let_interrupts_in(void)
{
    unsigned cpu = arch_cpu_id();

    if (!saves_flags[cpu]) /* others might step meanwhile */
        hold_interrupts(cpu, false);
}

void arch_frame_set_step(struct trap_frame *frame, bool step)
{
    unsigned cpu = arch_cpu_id();

    saves_flags[cpu] = step && opcode_at(frame->rip) == OPCODE_PUSHF;
    hold_interrupts(cpu, step);
    arch_parked_set_step(frame, step);
}

bool arch_frame_steps(const struct trap_frame *frame)
{
    return (frame->rflags & RFLAGS_TF) != 0;
}

/* TF is in the second byte of what pushf saved, whatever its operand size. */
void step_clean_up(unsigned cpu, const struct trap_frame *frame)
{
    uint64_t address = frame->rsp + 1;
    uint8_t byte;

    if (!saves_flags[cpu])
        return;
    saves_flags[cpu] = false;
    if (arch_copy_from(&byte, address, sizeof(byte)) < sizeof(byte))
        return;
    byte &= (uint8_t) ~(RFLAGS_TF >> 8);
    (void)arch_patch(address, &byte, sizeof(byte));
}

bool arch_step_without_running(struct trap_frame *frame)
{
    uint8_t code[2];
    size_t got = arch_copy_from(code, frame->rip, sizeof(code));
    bool enables = got == sizeof(code) && code[0] == OPCODE_STI && code[1] == OPCODE_HLT;

    if ((frame->cs & 3) != 0 /* there it faults */ || got == 0 ||
        (code[0] != OPCODE_HLT && !enables))
        return false;
    if (enables)
        frame->rflags |= RFLAGS_IF;
    frame->rip++;
    return true;
}

/* Of an instruction's first byte behind REX: is there more to a step of it than TF?  A bit for each
 * of pushf, hlt, sti, and the prefixes. */
static bool is_special(uint8_t byte)
{
    static const uint64_t special[] = {
        [0x26 / 64] = 1ull << 0x26 | 1ull << 0x2e | 1ull << 0x36 | 1ull << 0x3e,
        [0x40 / 64] = 0xffff | 0xfull << (0x64 - 0x40),
        [0x9c / 64] = 1ull << (0x9c - 0x80),
        [0xf0 / 64] = 1ull << (0xf0 - 0xc0) | 1ull << (0xf2 - 0xc0) | 1ull << (0xf3 - 0xc0) |
                      1ull << (0xf4 - 0xc0) | 1ull << (0xfb - 0xc0),
    };

    return (special[byte / 64] >> byte % 64 & 1) != 0;
}

bool arch_step_on(const struct trap *trap)
{
    struct trap_frame *frame = trap->frame;
    uint64_t bytes;

    if (trap->origin != TRAP_FROM_KERNEL || !probe_read_8(frame->rip, &bytes))
        return false;
    if (is_rex((uint8_t)bytes))
        bytes >>= 8;
    if (is_special((uint8_t)bytes))
        return false;
    hold_interrupts(trap->cpu, true);
    frame->rflags |= RFLAGS_TF;
    return true;
}
