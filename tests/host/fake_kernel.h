/*
 * fake_kernel.h - what memory functions of the kernel ask of the rest of it: locks that know
 * whether they are held, panics that a test survives, threads with an id.
 */
#ifndef TESTS_HOST_FAKE_KERNEL_H
#define TESTS_HOST_FAKE_KERNEL_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_kernel {
    jmp_buf after_panic;
    char panic[256];    /* the words of the last panic */
    char log[4096];     /* all that was logged, a line each */
    unsigned locks;     /* held */
    uint32_t thread;    /* the id of the one that runs; 0: none do yet */
    bool expects_panic; /* or else one ends the program */
};
extern struct fake_kernel fake_kernel;

void fake_kernel_reset(void);

/* True if `action` panics; then fake_kernel.panic says why, and no lock is held any more. */
#define PANICS(action)                                                                             \
    (fake_kernel.expects_panic = true,                                                             \
     setjmp(fake_kernel.after_panic) != 0 ? true : ((action), fake_kernel.expects_panic = false))

#endif
