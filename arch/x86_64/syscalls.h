/*
 * syscalls.h - the SYSCALL instruction's set-up.
 */
#ifndef ARCH_X86_64_SYSCALLS_H
#define ARCH_X86_64_SYSCALLS_H

/* Let this CPU's SYSCALL go to syscall_entry, after its descriptor tables are loaded. */
void init_syscalls(void);

#endif
