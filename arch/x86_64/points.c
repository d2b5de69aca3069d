/*
 * points.c - hardware break and watch points in the debug registers (SDM 3B 17.2).
 *
 * A watched range is split into the aligned pieces of 1, 2, 4 or 8 bytes that a register can cover.
 * Data points are not armed for a single step: what follows a step with one armed differs between
 * processors and emulators, down to a second #DB inside the first.  A step compares what write
 * points watch instead; reads go unnoticed by access points there.
 */
#include "points.h"

#include "arch/arch.h"
#include "instructions.h"
#include "stacks.h"

enum point_limits {
    SLOTS = 4,
    PIECE_BYTES = 8, /* the longest */
};

enum debug_bits {
    DR6_HITS = 0xf, /* all else is a step, or what no point is */
    DR7_FIXED = 1 << 10,
    DR7_EXACT = 1 << 9, /* GE: for processors that heed it */
    RFLAGS_TF = 1 << 8,
    RFLAGS_RF = 1 << 16, /* skips an execute point at the next instruction, once */
};

/* R/W field of DR7 by kind; x86 has no read-only watch. */
static const uint8_t conditions[] = {
    [GDBSTUB_POINT_EXECUTE] = 0,
    [GDBSTUB_POINT_WRITE] = 1,
    [GDBSTUB_POINT_ACCESS] = 3,
};

/* LEN field of DR7 by length; an execute point has length 1. */
static const uint8_t lengths[PIECE_BYTES + 1] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

struct slot {
    bool used;
    enum gdbstub_point kind;
    uint64_t address; /* of the piece */
    size_t len;
    uint64_t whole; /* the address the point was inserted for, and its length */
    size_t whole_len;
    uint8_t before[PIECE_BYTES]; /* what was there before a step */
};

static struct slot slots[SLOTS];
static unsigned used_slots;

/* What of each CPU's DR7 is not fixed: the register itself is slow to read where a hypervisor keeps
 * it. */
static uint64_t controls[ARCH_CPUS];

static bool is_watch(const struct slot *slot)
{
    return slot->used && slot->kind != GDBSTUB_POINT_EXECUTE;
}

bool points_exist(void)
{
    return used_slots > 0;
}

bool points_watch(void)
{
    size_t i = 0;

    while (used_slots > 0 && i < SLOTS && !is_watch(&slots[i]))
        i++;
    return used_slots > 0 && i < SLOTS;
}

/* The longest piece that may begin at `address`, of `len` bytes left. */
static size_t piece_length(enum gdbstub_point kind, uint64_t address, size_t len)
{
    size_t piece = PIECE_BYTES;

    if (kind == GDBSTUB_POINT_EXECUTE)
        return len;
    while (address % piece != 0 || piece > len)
        piece /= 2;
    return piece;
}

/* Occupy the slots that the range needs.  False if they do not suffice: some may be taken. */
static bool take_slots(enum gdbstub_point kind, uint64_t address, size_t len)
{
    size_t done = 0;

    for (size_t i = 0; i < SLOTS && done < len; i++) {
        size_t piece = piece_length(kind, address + done, len - done);

        if (slots[i].used)
            continue;
        slots[i] = (struct slot){.used = true,
                                 .kind = kind,
                                 .address = address + done,
                                 .len = kind == GDBSTUB_POINT_EXECUTE ? 1 : piece,
                                 .whole = address,
                                 .whole_len = len};
        used_slots++;
        done += piece;
    }
    return done == len;
}

static void free_slots(enum gdbstub_point kind, uint64_t address, size_t len)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (!slots[i].used || slots[i].kind != kind || slots[i].whole != address ||
            slots[i].whole_len != len)
            continue;
        slots[i].used = false;
        used_slots--;
    }
}

static bool is_supported(enum gdbstub_point kind, size_t len)
{
    return kind != GDBSTUB_POINT_READ && len > 0;
}

enum gdbstub_point_result arch_insert_point(enum gdbstub_point kind, uint64_t address, size_t len)
{
    if (!is_supported(kind, len))
        return GDBSTUB_POINT_UNSUPPORTED;
    free_slots(kind, address, len); /* asked again: one is enough */
    if (take_slots(kind, address, len))
        return GDBSTUB_POINT_DONE;
    free_slots(kind, address, len);
    return GDBSTUB_POINT_NONE_FREE;
}

enum gdbstub_point_result arch_remove_point(enum gdbstub_point kind, uint64_t address, size_t len)
{
    if (!is_supported(kind, len))
        return GDBSTUB_POINT_UNSUPPORTED;
    free_slots(kind, address, len);
    return GDBSTUB_POINT_DONE;
}

/* An NMI in the middle of this must not find less than what is armed. */
static void arm(unsigned cpu, uint64_t control)
{
    if (controls[cpu] == control)
        return;
    controls[cpu] |= control;
    write_dr7(DR7_FIXED | control);
    controls[cpu] = control;
}

uint64_t points_disarm(unsigned cpu)
{
    uint64_t armed = controls[cpu];

    arm(cpu, POINTS_NONE);
    return armed;
}

static void write_address(size_t i, uint64_t address)
{
    static void (*const write[SLOTS])(uint64_t) = {write_dr0, write_dr1, write_dr2, write_dr3};

    write[i](address);
}

/* Global enable, condition and length of slot `i`. */
static uint64_t control_bits(size_t i)
{
    uint64_t condition = conditions[slots[i].kind], length = lengths[slots[i].len];

    return (uint64_t)2 << (2 * i) | (condition | length << 2) << (16 + 4 * i);
}

uint64_t points_register(unsigned number)
{
    uint64_t control = DR7_FIXED;

    if (number < SLOTS)
        return slots[number].used ? slots[number].address : 0;
    for (size_t i = 0; i < SLOTS; i++)
        control |= slots[i].used ? control_bits(i) | DR7_EXACT : 0;
    return control;
}

static void remember(struct slot *slot)
{
    (void)arch_copy_from(slot->before, slot->address, slot->len);
}

void points_note(uint64_t hits)
{
    for (size_t i = 0; i < SLOTS && (hits & DR6_HITS) != 0; i++) {
        if (is_watch(&slots[i]) && (hits >> i & 1) != 0)
            remember(&slots[i]);
    }
}

void points_arm(unsigned cpu, const struct trap_frame *frame, uint64_t armed)
{
    bool step = (frame->rflags & RFLAGS_TF) != 0;
    uint64_t control = POINTS_NONE;

    if (is_emergency_stack(frame->rsp)) {
        arm(cpu, armed); /* that one may have been on its way out */
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (!slots[i].used)
            continue;
        if (step && is_watch(&slots[i])) {
            remember(&slots[i]);
            continue;
        }
        write_address(i, slots[i].address);
        control |= control_bits(i) | DR7_EXACT;
    }
    arm(cpu, control);
}

bool arch_disarm_points(void)
{
    return points_disarm(arch_cpu_id()) != POINTS_NONE;
}

void arch_arm_points(struct trap_frame *frame)
{
    points_arm(arch_cpu_id(), frame, POINTS_NONE);
}

static bool has_changed(const struct slot *slot)
{
    uint8_t now[PIECE_BYTES];

    return arch_copy_from(now, slot->address, slot->len) == slot->len &&
           __builtin_memcmp(now, slot->before, slot->len) != 0;
}

/* The processor clears RF when the instruction has run (SDM 3B 17.3.1.1). */
void arch_point_told(struct trap_frame *frame)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].used && !is_watch(&slots[i]) && slots[i].address == frame->rip)
            frame->rflags |= RFLAGS_RF;
    }
}

/* DR6 shows hits of points that are not enabled, too: ask only about those in use. */
bool arch_point_hit(const struct trap *trap, enum gdbstub_point *kind, uint64_t *address)
{
    uint64_t hits = trap->error & DR6_HITS;

    for (size_t i = 0; i < SLOTS; i++) {
        const struct slot *slot = &slots[i];
        bool elsewhere = slot->kind == GDBSTUB_POINT_EXECUTE && slot->address != trap->pc;
        bool hit = slot->used && !elsewhere && (hits >> i & 1) != 0;
        bool stepped = hits == 0 && is_watch(slot) && has_changed(slot);

        if (hit || stepped) {
            *kind = slot->kind;
            *address = slot->whole;
            return true;
        }
    }
    return false;
}

bool arch_point_is_gone(const struct trap *trap)
{
    enum gdbstub_point kind;
    uint64_t address;

    return trap->kind == TRAP_DEBUG && trap->error != 0 && (trap->error | DR6_HITS) == DR6_HITS &&
           !arch_point_hit(trap, &kind, &address);
}
