/*
 * main.h - where the architecture's boot code hands over.
 */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

/* The kernel, from the first line to the last.  Called once, by the first CPU, on the boot stack.
 */
_Noreturn void kernel_main(void);

#endif
