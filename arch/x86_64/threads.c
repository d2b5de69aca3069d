/*
 * threads.c - what a thread is to the processor: a frame, and the state that frames do not hold.
 *
 * The kernel itself uses no x87 or SSE, so that state changes hands when threads do.
 */
#include "arch/arch.h"
#include "calls.h"
#include "context.h"
#include "descriptors.h"
#include "frame.h"
#include "instructions.h"
#include "interrupts.h"
#include "step.h"

enum initial_state {
    RFLAGS_FIXED = 1 << 1,
    RFLAGS_IF = 1 << 9,
    FCW_DEFAULT = 0x37f,    /* SDM 1, 8.1.5: as fninit leaves it */
    MXCSR_DEFAULT = 0x1f80, /* SDM 1, 10.2.3: all exceptions masked */
};

void arch_context_init(struct arch_context *context)
{
    struct context *state = context_of(context);

    *state = (struct context){.fpu = {.fctrl = FCW_DEFAULT, .mxcsr = MXCSR_DEFAULT}};
}

static struct trap_frame *frame_at(void *stack_top)
{
    struct trap_frame *frame = (struct trap_frame *)stack_top - 1;

    *frame = (struct trap_frame){.vector = VECTOR_YIELD, .rflags = RFLAGS_FIXED | RFLAGS_IF};
    return frame;
}

struct trap_frame *arch_frame_for_kernel(void *stack_top, void (*function)(void *), void *argument)
{
    struct trap_frame *frame = frame_at(stack_top);

    frame->rip = (uint64_t)(uintptr_t)thread_begin;
    frame->cs = SELECTOR_KERNEL_CODE;
    frame->ss = SELECTOR_KERNEL_DATA;
    frame->rsp = (uint64_t)(uintptr_t)stack_top;
    frame->rdi = (uint64_t)(uintptr_t)function;
    frame->rsi = (uint64_t)(uintptr_t)argument;
    return frame;
}

struct trap_frame *arch_frame_for_user(void *stack_top, uint64_t entry, uint64_t user_stack,
                                       uint64_t argument)
{
    struct trap_frame *frame = frame_at(stack_top);

    frame->rip = entry;
    frame->cs = SELECTOR_USER_CODE;
    frame->ss = SELECTOR_USER_DATA;
    frame->rsp = user_stack;
    frame->rdi = argument;
    return frame;
}

ARCH_DEBUGGER_PATH struct trap_frame *arch_user_frame(void *stack_top)
{
    return (struct trap_frame *)stack_top - 1;
}

/* In the kernel, the user's GS base is the other one (entry.asm). */
static void save(struct context *state)
{
    fxsave(&state->fpu);
    state->fs_base = rdmsr(MSR_FS_BASE);
    state->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
    state->ds = (uint16_t)read_ds();
    state->es = (uint16_t)read_es();
    state->fs = (uint16_t)read_fs();
    state->gs = (uint16_t)read_gs();
}

/* A selector first, because loading one loads a base. */
static void load(const struct context *state)
{
    fxrstor(&state->fpu);
    if (state->ds != read_ds())
        write_ds(state->ds);
    if (state->es != read_es())
        write_es(state->es);
    if (state->fs != read_fs())
        write_fs(state->fs);
    if (state->gs != read_gs()) {
        uint64_t kernel_base = rdmsr(MSR_GS_BASE);

        write_gs(state->gs);
        wrmsr(MSR_GS_BASE, kernel_base);
    }
    wrmsr(MSR_FS_BASE, state->fs_base);
    wrmsr(MSR_KERNEL_GS_BASE, state->gs_base);
}

void arch_switch(struct arch_context *from, const struct arch_context *to, void *stack_top,
                 uint64_t space)
{
    step_end(arch_cpu_id()); /* a step lasts as long as its thread runs */
    save(context_of(from));
    load((const struct context *)(const void *)to);
    descriptors_set_kernel_stack((uint64_t)(uintptr_t)stack_top);
    if (space != read_cr3())
        write_cr3(space);
}
