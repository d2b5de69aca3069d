/*
 * threads_misuse.h - what threads must not do with locks and stacks, each by its name.
 */
#ifndef KERNEL_THREADS_MISUSE_H
#define KERNEL_THREADS_MISUSE_H

/* Do it: returns only if nothing was noticed, or there is no such name. */
void threads_misuse(const char *name);

#endif
