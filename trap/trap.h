/*
 * trap.h - what a trap is, and who is asked about it.
 *
 * Knows no processor and no kernel: the architecture fills in a struct trap, and the one const
 * table that kernel/traps.c owns says who is asked, in which order.  Allocates nothing, locks
 * nothing, and keeps no state but the table's address.
 */
#ifndef TRAP_TRAP_H
#define TRAP_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The saved registers.  Only the architecture looks inside. */
struct trap_frame;

/* What happened, in terms that every processor has. */
enum trap_kind {
    TRAP_INTERRUPT,   /* a device or another CPU asked for attention */
    TRAP_NMI,         /* an interrupt that cannot be held back */
    TRAP_BREAKPOINT,  /* a breakpoint instruction; pc is behind it */
    TRAP_DEBUG,       /* a single step, or a hardware break or watch point */
    TRAP_ARITHMETIC,  /* division error, overflow, floating point */
    TRAP_INSTRUCTION, /* an invalid or unavailable instruction */
    TRAP_PAGE_FAULT,  /* memory that is not there, or not for this access */
    TRAP_PROTECTION,  /* any other rule of the processor broken */
    TRAP_MACHINE,     /* the hardware itself failed */
    TRAP_DOUBLE,      /* a fault while delivering a fault */
    TRAP_PANIC,       /* the kernel gave up by itself */
    TRAP_SYSCALL,     /* user code asks the kernel for something */
    TRAP_KINDS,       /* how many there are */
};

#define TRAP_MASK(kind) (1u << (kind))
#define TRAP_ANY        (TRAP_MASK(TRAP_KINDS) - 1u)

/* What the saved pc means. */
enum trap_class {
    TRAP_CLASS_INTERRUPT, /* the next instruction; this one has nothing to do with the trap */
    TRAP_CLASS_FAULT,     /* the instruction that failed: returning runs it again */
    TRAP_CLASS_TRAP,      /* the instruction after the one that trapped */
    TRAP_CLASS_ABORT,     /* not to be relied on; returning is not possible */
};

enum trap_origin {
    TRAP_FROM_KERNEL,
    TRAP_FROM_USER,
};

/* Page faults only: bits of how memory was touched, and what the page tables said. */
enum trap_access {
    TRAP_ACCESS_PRESENT = 1 << 0,  /* the page is there: its permissions were violated */
    TRAP_ACCESS_WRITE = 1 << 1,    /* a write; a read if this and EXECUTE are clear */
    TRAP_ACCESS_USER = 1 << 2,     /* by user code */
    TRAP_ACCESS_RESERVED = 1 << 3, /* the page tables themselves are malformed */
    TRAP_ACCESS_EXECUTE = 1 << 4,  /* an instruction fetch */
    TRAP_ACCESS_OTHER = 1 << 5,    /* anything else: see the error code */
};

struct trap {
    enum trap_kind kind;
    enum trap_class class;
    enum trap_origin origin;
    unsigned cpu;
    uint32_t vector;          /* the hardware's number; TRAP_PANIC: one outside its range */
    uint64_t error;           /* the hardware's error code, or 0 */
    uint64_t pc;              /* the pc at entry; frame may be changed later, this is not */
    uint64_t address;         /* TRAP_PAGE_FAULT: the address touched; otherwise 0 */
    unsigned access;          /* TRAP_PAGE_FAULT: enum trap_access bits; otherwise 0 */
    const char *name;         /* "page fault"; never NULL */
    const char *message;      /* TRAP_PANIC: why; otherwise NULL */
    struct trap_frame *frame; /* may be changed, or replaced by another: returning loads it */
};

enum trap_verdict {
    TRAP_DECLINED, /* not mine: ask the next handler */
    TRAP_HANDLED,  /* done: return to the frame */
};

/* A handler runs on the trapping CPU with interrupts off.  One that never returns is last. */
struct trap_handler {
    const char *name;
    uint32_t kinds; /* what it is asked about: TRAP_MASK(kind) | ... */
    enum trap_verdict (*handle)(struct trap *trap);
};

/* Install the table; it must live for ever.  Called once, before the first trap can happen. */
void trap_init(const struct trap_handler *table, size_t count);

/* Ask the handlers in order.  False if there is no table yet, or every one of them declined. */
bool trap_dispatch(struct trap *trap);

/* The same, in code of its own, for traps that a debugger at work never causes: breakpoints may
 * stand there, as they do when a handler is finished. */
bool trap_dispatch_ordinary(struct trap *trap);

#endif
