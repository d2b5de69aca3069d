/*
 * syscall.h - system calls: user code's requests, by number.
 *
 * syscalls.def has the numbers, errors.def those of the errors, which are returned negative.
 */
#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include "trap/trap.h"

/* Row of the trap table: do what is asked, with interrupts on, and leave the result in the frame.
 */
enum trap_verdict syscall_handle(struct trap *trap);

#endif
