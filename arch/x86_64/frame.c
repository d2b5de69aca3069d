/*
 * frame.c - the fields of a frame that the kernel asks for by name.
 */
#include "frame.h"

#include "arch/arch.h"

uint64_t arch_frame_pc(const struct trap_frame *frame)
{
    return frame->rip;
}

void arch_frame_set_pc(struct trap_frame *frame, uint64_t pc)
{
    frame->rip = pc;
}

uint64_t arch_frame_sp(const struct trap_frame *frame)
{
    return frame->rsp;
}

uint64_t arch_frame_fp(const struct trap_frame *frame)
{
    return frame->rbp;
}
