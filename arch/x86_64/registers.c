/*
 * registers.c - the registers of a trap frame and of this CPU, by GDB's numbers.
 *
 * registers.def says what there is and where; this file says how a place is read and written.  The
 * kernel itself never touches x87 and SSE state, so it is read from the CPU when asked for.
 */
#include "arch/arch.h"
#include "arch/inspect.h"
#include "calls.h"
#include "context.h"
#include "debug_registers.h"
#include "frame.h"
#include "instructions.h"
#include "live.h"
#include "memory_layout.h"
#include "target_features.h"
#include "x87.h"

enum place_kind {
    PLACE_FRAME, /* offset in struct trap_frame */
    PLACE_FPU,   /* offset in the FXSAVE image */
    PLACE_X87,   /* an x87 control register: enum x87 */
    PLACE_DEBUG, /* a debug register */
    PLACE_LIVE,  /* the CPU's own: enum live */
    PLACE_MINUS, /* -1 */
};

struct place {
    uint8_t kind;
    uint16_t at;
};

/* ---- The tables made from registers.def ---- */

#define FRAME(field)                                                                               \
    {                                                                                              \
        PLACE_FRAME, offsetof(struct trap_frame, field)                                            \
    }
#define FPU(offset)                                                                                \
    {                                                                                              \
        PLACE_FPU, offset                                                                          \
    }
#define X87(name)                                                                                  \
    {                                                                                              \
        PLACE_X87, X87_##name                                                                      \
    }
#define DEBUG(number)                                                                              \
    {                                                                                              \
        PLACE_DEBUG, number                                                                        \
    }
#define NO_SYSCALL                                                                                 \
    {                                                                                              \
        PLACE_MINUS, 0                                                                             \
    }
#define LIVE(name)                                                                                 \
    {                                                                                              \
        PLACE_LIVE, LIVE_##name                                                                    \
    }

static const struct place places[] = {
#define REGISTER(name, bits, type, group, feature, place, record) place,
#include "registers.def"
#undef REGISTER
};

static const struct gdbstub_register registers[] = {
#define REGISTER(name, bits, type, group, feature, place, record)                                  \
    {#name, type, group, bits, FEATURE_##feature},
#include "registers.def"
#undef REGISTER
};

#define RECORD 1
#define OMIT   0
static const uint8_t in_record[] = {
#define REGISTER(name, bits, type, group, feature, place, record) record,
#include "registers.def"
#undef REGISTER
};

enum register_numbers {
#define REGISTER(name, bits, type, group, feature, place, record) NUMBER_##name,
#include "registers.def"
#undef REGISTER
    REGISTERS,
};

const uint16_t arch_core_registers[ARCH_CORE_REGISTERS] = {
    NUMBER_r15,     NUMBER_r14,      NUMBER_r13, NUMBER_r12, NUMBER_rbp,    NUMBER_rbx, NUMBER_r11,
    NUMBER_r10,     NUMBER_r9,       NUMBER_r8,  NUMBER_rax, NUMBER_rcx,    NUMBER_rdx, NUMBER_rsi,
    NUMBER_rdi,     NUMBER_orig_rax, NUMBER_rip, NUMBER_cs,  NUMBER_eflags, NUMBER_rsp, NUMBER_ss,
    NUMBER_fs_base, NUMBER_gs_base,  NUMBER_ds,  NUMBER_es,  NUMBER_fs,     NUMBER_gs,
};

/* The halves of the address space (SDM 1, 3.3.7.1). */
static const struct gdbstub_range addresses[] = {
    {.start = 0, .length = (uint64_t)1 << 47},
    {.start = UINT64_MAX << 47, .length = (uint64_t)1 << 47},
};

static const uint16_t expedited[] = {NUMBER_rbp, NUMBER_rsp, NUMBER_rip};
static const uint8_t int3[] = {0xcc};

/* GDB keeps a `g` reply at general registers and segments; the rest it asks for one by one. */
const struct gdbstub_arch arch_gdb = {
    .architecture = "i386:x86-64",
    .triple = "x86_64-unknown-none-elf",
    .addresses = addresses,
    .address_count = sizeof(addresses) / sizeof(addresses[0]),
    .loaded = {.start = IMAGE_PHYSICAL, .length = IMAGE_LOADED},
    .loaded_offset = KERNEL_BASE,
    .features = target_features,
    .feature_count = FEATURES,
    .registers = registers,
    .register_count = REGISTERS,
    .pc = NUMBER_rip,
    .g_count = NUMBER_gs + 1,
    .expedited = expedited,
    .expedited_count = sizeof(expedited) / sizeof(expedited[0]),
    .breakpoint = int3,
    .breakpoint_size = sizeof(int3),
};

/* ---- Access by number ---- */

/* In the kernel, what user code has as its GS base is the other one (entry.asm). */
static enum live as_seen_by(const struct trap_frame *frame, enum live which)
{
    bool user = (frame->cs & 3) != 0;

    if (user && which == LIVE_gs_base)
        return LIVE_k_gs_base;
    return user && which == LIVE_k_gs_base ? LIVE_gs_base : which;
}

/* As it is now.  QEMU leaves fop as it finds it. */
static void fpu_read(struct fpu_image *image)
{
    *image = (struct fpu_image){0};
    fxsave(image);
}

/* One that is not in the frame.  By itself, so that the others need not prepare for it. */
__attribute__((noinline)) static void
read_other(const struct trap_frame *frame, const struct place *place, void *value, size_t bytes)
{
    struct fpu_image image;
    uint64_t word;

    switch (place->kind) {
    case PLACE_FPU:
        fpu_read(&image);
        __builtin_memcpy(value, (const uint8_t *)&image + place->at, bytes);
        return;
    case PLACE_X87:
        fpu_read(&image);
        word = x87_read(&image, place->at);
        break;
    case PLACE_DEBUG:
        word = debug_register_show(frame, place->at);
        break;
    case PLACE_MINUS:
        word = UINT64_MAX;
        break;
    default:
        word = live_read(as_seen_by(frame, place->at));
        break;
    }
    __builtin_memcpy(value, &word, bytes);
}

/* Conditions of breakpoints ask for the first kind. */
bool arch_register_read(const struct trap_frame *frame, size_t reg, void *value)
{
    const struct place *place = &places[reg];
    const uint8_t *field = (const uint8_t *)frame + place->at;
    size_t bytes = registers[reg].bits / 8;

    if (place->kind == PLACE_FRAME && bytes == sizeof(uint64_t))
        __builtin_memcpy(value, field, sizeof(uint64_t));
    else if (place->kind == PLACE_FRAME)
        __builtin_memcpy(value, field, bytes);
    else
        read_other(frame, place, value, bytes);
    return true;
}

static void fpu_change(struct fpu_image *image, const struct place *place, const void *value,
                       size_t bytes)
{
    uint32_t word = 0;

    if (place->kind == PLACE_X87) {
        __builtin_memcpy(&word, value, sizeof(word));
        x87_write(image, place->at, word);
    } else {
        __builtin_memcpy((uint8_t *)image + place->at, value, bytes);
        image->mxcsr &= image->mxcsr_mask != 0 ? image->mxcsr_mask : 0xffbf; /* SDM 1, 11.6.6 */
    }
}

static void fpu_write(const struct place *place, const void *value, size_t bytes)
{
    struct fpu_image image;

    fpu_read(&image);
    fpu_change(&image, place, value, bytes);
    fxrstor(&image);
}

/* What iretq refuses must not get into a frame: it would fault where nothing can be done. */
static bool frame_accepts(size_t reg, uint64_t value, uint64_t old)
{
    uint64_t high = value >> 47;

    switch (reg) {
    case NUMBER_rip:
        return high == 0 || high == 0x1ffff;
    case NUMBER_cs:
    case NUMBER_ss:
        return value == old;
    default:
        return true;
    }
}

enum rflags {
    RFLAGS_FIXED = 1 << 1,
    RFLAGS_TF = 1 << 8,
    RFLAGS_WRITABLE = 0x250ed5, /* CF PF AF ZF SF IF DF OF NT RF AC ID: the rest is fixed or ours */
};

static bool frame_write(struct trap_frame *frame, size_t reg, const void *value, size_t bytes)
{
    uint64_t *field = (uint64_t *)(void *)((uint8_t *)frame + places[reg].at);
    uint64_t word = 0;

    __builtin_memcpy(&word, value, bytes);
    if (!frame_accepts(reg, word, *field))
        return false;
    if (reg == NUMBER_eflags)
        word = (word & RFLAGS_WRITABLE) | RFLAGS_FIXED | (*field & RFLAGS_TF);
    *field = word;
    return true;
}

bool arch_register_write(struct trap_frame *frame, size_t reg, const void *value)
{
    const struct place *place = &places[reg];
    size_t bytes = registers[reg].bits / 8;

    switch (place->kind) {
    case PLACE_FRAME:
        return frame_write(frame, reg, value, bytes);
    case PLACE_LIVE:
        return live_write(as_seen_by(frame, place->at), value, bytes);
    case PLACE_DEBUG:
        return debug_register_restore(place->at, value);
    case PLACE_MINUS:
        return __builtin_memcmp(&(uint64_t){UINT64_MAX}, value, sizeof(uint64_t)) == 0;
    default:
        fpu_write(place, value, bytes);
        return true;
    }
}

/* ---- A thread that does not run: its frame, and its context for what frames do not hold ---- */

/* Where the context has what is the CPU's own while the thread runs; no bytes: nowhere. */
struct kept {
    uint16_t at, bytes;
};
#define KEPT(field)                                                                                \
    {                                                                                              \
        offsetof(struct context, field), sizeof(((struct context *)0)->field)                      \
    }

static const struct kept kept[LIVE_COUNT] = {
    [LIVE_ds] = KEPT(ds), [LIVE_es] = KEPT(es),           [LIVE_fs] = KEPT(fs),
    [LIVE_gs] = KEPT(gs), [LIVE_fs_base] = KEPT(fs_base), [LIVE_gs_base] = KEPT(gs_base),
};

/* The field, or NULL.  A kernel thread's GS base is the CPU's. */
static uint8_t *kept_field(const struct trap_frame *frame, struct arch_context *context,
                           enum live which)
{
    if (kept[which].bytes == 0 || (which == LIVE_gs_base && (frame->cs & 3) == 0))
        return NULL;
    return context->bytes + kept[which].at;
}

bool arch_parked_read(struct trap_frame *frame, struct arch_context *context, size_t reg,
                      void *value)
{
    const struct place *place = &places[reg];
    size_t bytes = registers[reg].bits / 8;
    uint64_t word = 0;

    if (place->kind == PLACE_FRAME)
        return arch_register_read(frame, reg, value);
    if (place->kind == PLACE_FPU) {
        __builtin_memcpy(value, context->bytes + place->at, bytes);
        return true;
    }
    if (place->kind == PLACE_X87) {
        word = x87_read(&context_of(context)->fpu, place->at);
    } else {
        const uint8_t *field = kept_field(frame, context, place->at);

        if (field == NULL)
            return false;
        __builtin_memcpy(&word, field, kept[place->at].bytes);
    }
    __builtin_memcpy(value, &word, bytes);
    return true;
}

bool arch_parked_write(struct trap_frame *frame, struct arch_context *context, size_t reg,
                       const void *value)
{
    const struct place *place = &places[reg];

    if (place->kind == PLACE_FRAME)
        return arch_register_write(frame, reg, value);
    if (place->kind == PLACE_LIVE) {
        uint8_t *field = kept_field(frame, context, place->at);

        if (field == NULL || kept[place->at].bytes != sizeof(uint64_t))
            return false;
        __builtin_memcpy(field, value, sizeof(uint64_t));
        return true;
    }
    fpu_change(&context_of(context)->fpu, place, value, registers[reg].bits / 8);
    return true;
}

/* Not CD 03, behind which the same exception stops: CC is perhaps no longer there. */
bool arch_frame_behind_breakpoint(const struct trap_frame *frame)
{
    static const uint8_t int_3[] = {0xcd, 0x03};
    uint8_t code[sizeof(int_3)];

    return arch_copy_from(code, frame->rip - sizeof(code), sizeof(code)) < sizeof(code) ||
           __builtin_memcmp(code, int_3, sizeof(code)) != 0;
}

bool arch_frame_behind_removed(const struct trap_frame *frame)
{
    uint8_t byte;

    return arch_frame_behind_breakpoint(frame) &&
           arch_copy_from(&byte, frame->rip - sizeof(int3), sizeof(byte)) == sizeof(byte) &&
           byte != int3[0];
}

/* Of this CPU, or of a thread that does not run, whose context is given. */
static size_t record(struct trap_frame *frame, struct arch_context *context, uint64_t *values,
                     size_t max, uint64_t valid[2])
{
    size_t count = 0;

    valid[0] = valid[1] = 0;
    for (size_t reg = 0; reg < REGISTERS && count < max; reg++) {
        uint64_t value = 0;

        if (!in_record[reg])
            continue;
        if (context == NULL ? arch_register_read(frame, reg, &value)
                            : arch_parked_read(frame, context, reg, &value))
            valid[count / 64] |= (uint64_t)1 << (count % 64);
        values[count++] = value;
    }
    return count;
}

size_t arch_record_registers(struct trap_frame *frame, uint64_t *values, size_t max,
                             uint64_t valid[2])
{
    return record(frame, NULL, values, max, valid);
}

size_t arch_parked_record(struct trap_frame *frame, struct arch_context *context, uint64_t *values,
                          size_t max, uint64_t valid[2])
{
    return record(frame, context, values, max, valid);
}
