/*
 * provoke_stories.h - what the stories of provoke*.c have in common, and those that have a file of
 * their own.
 */
#ifndef KERNEL_PROVOKE_STORIES_H
#define KERNEL_PROVOKE_STORIES_H

#include <stdint.h>

#define STORY __attribute__((noinline))

/* Undo what the optimiser knows: after this anything may have been read and written. */
#define OPAQUE() __asm__ volatile("" : : : "memory")

struct parcel {
    uint64_t weight;
    char addressee[16];
    struct parcel *next; /* at offset 0x18 */
};

/* provoke_memory.c */
void provoke_heap_overflow(void);
void provoke_heap_use_after_free(void);
void provoke_heap_read_after_free(void);
void provoke_heap_double_free(void);
void provoke_out_of_memory(void);

/* provoke_cpus.c */
void provoke_spin(void);
void provoke_deadlock(void);
void provoke_interrupt(void);
void provoke_locked(void);
void provoke_system_call(void);
void provoke_console(void);
void provoke_two_cpus(void);
void provoke_beside_spin(void);

#endif
