/*
 * app.h - the whole interface between the kernel and a program linked into it.
 *
 * The program defines `int main(int argc, char **argv)`, or `void kapp_start(void)` to be entered
 * there instead.  It runs in ring 0 on a stack of 1 MiB, with interrupts on.  There is no C
 * library but what the program brings.
 */
#ifndef KERNEL_APP_H
#define KERNEL_APP_H

#ifdef __cplusplus
extern "C" {
#endif

/* Send one byte over COM1, as it is. */
void kapp_putc(int c);

/* The next byte received over COM1, as it is; waits for it. */
int kapp_getc(void);

/* End the program.  Returning from main() does the same. */
void kapp_exit(int code) __attribute__((__noreturn__));

/* Microseconds since boot. */
long kapp_ticks(void);

/* 16 MiB of zeroed memory outside the kernel's image: always the same.  `*size` is its length. */
void *kapp_heap(unsigned long *size);

#ifdef __cplusplus
}
#endif

#endif
