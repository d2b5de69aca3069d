/*
 * calls.h - what calls.asm and probe.asm have for the architecture alone.
 */
#ifndef ARCH_X86_64_CALLS_H
#define ARCH_X86_64_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* What a guarded call needs to be left from anywhere below it. */
struct guard_context {
    uint64_t rbx, rbp, r12, r13, r14, r15, rsp;
};

/* Call function(argument): true when it returns; false after a trap went to
 * guarded_call_escape with rdi = context. */
bool guarded_call(void (*function)(void *), void *argument, struct guard_context *context);
void guarded_call_escape(void);

/* Call function(argument) on the stack that ends at `top`, and come back. */
void call_on_stack(uint64_t top, void (*function)(void *), void *argument);

/* Where a kernel thread's frame begins, with its function and its argument for it. */
void thread_begin(void);

/* After lgdt: load the selectors of descriptors.h. */
void reload_segments(void);

/* One access of that many bytes to an address that may not be there.  False if it faults. */
bool probe_read_1(uint64_t address, uint64_t *value);
bool probe_read_2(uint64_t address, uint64_t *value);
bool probe_read_4(uint64_t address, uint64_t *value);
bool probe_read_8(uint64_t address, uint64_t *value);
bool probe_write_1(uint64_t address, uint64_t value);
bool probe_write_2(uint64_t address, uint64_t value);
bool probe_write_4(uint64_t address, uint64_t value);
bool probe_write_8(uint64_t address, uint64_t value);

/* A row of the fixups section: an access that may fault, and where it goes on if it does. */
struct fixup {
    uint64_t access, resume;
};

#endif
