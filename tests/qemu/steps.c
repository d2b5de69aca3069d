/*
 * steps.c - a program of instructions that single steps get wrong, one after the other.
 *
 * Each case begins at its label; `steps_end` is behind the last.  They are only for stepping:
 * nothing wakes a kernel that runs into hlt here.
 */
#include "kernel/app.h"

void steps(void);
__asm__(".pushsection .text\n"
        ".globl steps, steps_end\n"
        ".type steps, @function\n"
        "steps:\n"
        "step_pushf: pushfq\n"
        " pop %rax\n"
        "step_pushfw: pushfw\n"
        " pop %cx\n"
        "step_popf: pushfq\n"
        " popfq\n"
        "step_hlt: hlt\n"
        "step_cli: cli\n"
        "step_hlt_cli: hlt\n"
        "step_rep: mov $3, %ecx\n"
        " lea room(%rip), %rdi\n"
        " xor %eax, %eax\n"
        " rep stosb\n"
        "step_sti: sti\n"
        " nop\n"
        "step_sti_hlt: sti\n"
        " hlt\n"
        "step_syscall: syscall\n"
        "step_int: int $0x80\n"
        "steps_end: ret\n"
        ".size steps, . - steps\n"
        ".popsection\n"
        ".pushsection .bss\n"
        "room: .skip 16\n"
        ".popsection\n");

volatile long watched, unaligned[6];
volatile int stepping;

__attribute__((noinline)) void write_watched(void)
{
    for (int i = 1; i <= 3; i++)
        watched += i;
    *(volatile long *)((char *)unaligned + 5) = 7;
}

int main(void)
{
    if (stepping)
        steps();
    write_watched();
    return 0;
}
