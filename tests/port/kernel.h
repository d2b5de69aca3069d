/*
 * kernel.h - the second kernel's own declarations: what its parts know of each other.
 */
#ifndef TESTS_PORT_KERNEL_H
#define TESTS_PORT_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crashdump/crashdump.h"
#include "gdbstub/gdbstub.h"

/* No breakpoint may stand in what the debugger runs: kernel.ld collects it. */
#define DEBUGGER __attribute__((section(".debugger")))

enum line {
    CONSOLE = 0x3f8, /* COM1 */
    GDB = 0x2f8,     /* COM2 */
};

/* The interrupted registers, as boot.asm pushes them. */
struct frame {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, eflags, rsp, ss;
};

/* boot.asm */
enum { VECTORS = 48 };
extern const uint8_t entries[VECTORS][16], stack_top[];
void *memcpy(void *restrict to, const void *restrict from, size_t len);

/* kernel.ld: the note that the linker makes. */
extern const struct {
    uint32_t name_size, size, type;
    char name[4];
    uint8_t id[CRASH_BUILD_ID_BYTES];
} build_id;

/* kernel.c; boot.asm calls the first two. */
void kernel_main(void);
void trap(struct frame *frame);
/* Send it all.  False if the line is dead. */
bool uart_write(enum line uart, const void *bytes, size_t len);
/* How many of the bytes there are. */
size_t mapped(uint64_t addr, size_t len);
/* Is some of it what the debugger runs? */
bool is_debugger(uint64_t addr, size_t len);
/* A point in the debug registers, by DR7's condition: 0 execute, 1 write, 3 access.  False if none
 * is left, or there is no such point. */
bool set_point(unsigned condition, uint64_t addr, size_t len);
void clear_point(unsigned condition, uint64_t addr, size_t len);

/* port.c */
extern const struct gdbstub_port gdb_port;
extern struct frame *stopped;        /* what GDB looks at */
extern struct gdbstub_resume resume; /* what it is to do next */
void write_record(const struct frame *frame, const struct crash_cause *cause);

#endif
