/*
 * arch.h - the contract: all that kernel/ may ask of a processor.
 *
 * Says nothing about which one.  Nothing here allocates from a heap, takes a lock, or waits
 * without a limit; what may be called from a trap handler, in a crash or by the debugger says so
 * with "anywhere".
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crashdump/record.h"
#include "gdbstub/gdbstub.h"
#include "memory.h"
#include "trap/trap.h"

/* ---- Boot: what the boot loader left, in one form whichever it was ---- */

enum arch_boot_limits {
    ARCH_COMMAND_LINE_BYTES = 1024,
    ARCH_MEMORY_RANGES = 64,
    ARCH_BOOT_MODULES = 8,
};

enum arch_memory_kind {
    ARCH_MEMORY_USABLE = 1,
    ARCH_MEMORY_RESERVED = 2,
    ARCH_MEMORY_ACPI = 3, /* tables: readable, reusable once read */
    ARCH_MEMORY_NVS = 4,  /* the firmware's own */
    ARCH_MEMORY_BAD = 5,
};

struct arch_memory_range {
    uint64_t start, end; /* physical, [start, end); sorted, disjoint */
    enum arch_memory_kind kind;
};

struct arch_boot_module {
    uint64_t start, end; /* physical, [start, end) */
    char name[64];       /* its command line, cut to fit */
};

struct arch_boot_info {
    const char *loader;                         /* "GRUB 2.06", "PVH" */
    char command_line[ARCH_COMMAND_LINE_BYTES]; /* cut to fit; "" if there is none */
    struct arch_memory_range ranges[ARCH_MEMORY_RANGES];
    size_t range_count;
    struct arch_boot_module modules[ARCH_BOOT_MODULES];
    size_t module_count;
    uint64_t acpi_root; /* physical address of the RSDP, 0: search or none */
};

/* What the boot loader said.  Valid from kernel_main() on, anywhere. */
const struct arch_boot_info *arch_boot_info(void);

/* Boot order, each once, by the first CPU: */
void arch_init_traps(void);      /* descriptor tables, vectors, exception stacks */
void arch_init_memory(void);     /* the final page tables: permissions, guards, direct map */
void arch_init_time(void);       /* calibrate the clock */
void arch_init_interrupts(void); /* interrupt controllers, all lines masked */

/* ---- Processors ---- */

enum arch_identity {
    ARCH_ELF_MACHINE = 62, /* e_machine of the kernel's ELF: EM_X86_64 */
};

enum arch_cpu_limits {
    ARCH_CPUS = 8,
};

/* Which CPU this is, from 0; anywhere.  Trusts no register that a broken kernel may destroy. */
unsigned arch_cpu_id(void);

/* How many run; they are numbered without gaps.  Anywhere. */
unsigned arch_cpu_count(void);

/* Start the processors that the firmware lists, at most `limit` in all, one after another: each
 * calls enter(cpu) with its own descriptor tables and emergency stacks, on a stack of its own,
 * interrupts off; enter() never returns.  Returns how many run, this one included; one that does
 * not answer in a bounded time is left out, with a word in the log by the caller's count. */
unsigned arch_start_cpus(unsigned limit, void (*enter)(unsigned cpu));

void arch_pause(void);           /* in a loop that polls; anywhere */
_Noreturn void arch_halt(void);  /* interrupts off, for ever; anywhere */
_Noreturn void arch_reset(void); /* reset the machine; anywhere */
void arch_interrupts_enable(void);
bool arch_interrupts_disable(void); /* true if they were enabled */
void arch_interrupts_wait(void);    /* enable them, and wait for the next one */

/* ---- Interrupts ---- */

/* What TRAP_INTERRUPT was about. */
enum arch_interrupt {
    ARCH_INTERRUPT_SPURIOUS,   /* nobody asked */
    ARCH_INTERRUPT_TIMER,      /* this CPU's tick */
    ARCH_INTERRUPT_YIELD,      /* arch_yield() */
    ARCH_INTERRUPT_RESCHEDULE, /* from another CPU: look at the run queue */
    ARCH_INTERRUPT_FLUSH,      /* from another CPU: translations have changed */
    ARCH_INTERRUPT_DEVICE,     /* a device's line */
    ARCH_INTERRUPTS,
};
enum arch_interrupt arch_interrupt_source(const struct trap *trap);

/* The interrupt has been taken care of: let the next one in.  Before a switch of threads. */
void arch_interrupt_done(const struct trap *trap);

/* Start this CPU's tick, `hz` times a second.  False if it has no timer. */
bool arch_timer_start(unsigned hz);

/* Raise ARCH_INTERRUPT_RESCHEDULE or _FLUSH on another CPU; TRAP_NMI there.  Anywhere. */
void arch_send_interrupt(unsigned cpu, enum arch_interrupt interrupt);
void arch_send_nmi(unsigned cpu);

/* ---- Threads: a thread that does not run is a frame on its own stack ---- */

/* What a thread owns beside its frame: x87 and SSE state, bases of segments. */
struct arch_context {
    _Alignas(16) uint8_t bytes[512 + 32];
};

void arch_context_init(struct arch_context *context);

/* Make a frame at the top of a kernel stack, to be loaded by a trap: it calls function(argument)
 * with interrupts on, or enters user code at `entry`.  function() must not return. */
struct trap_frame *arch_frame_for_kernel(void *stack_top, void (*function)(void *), void *argument);
struct trap_frame *arch_frame_for_user(void *stack_top, uint64_t entry, uint64_t user_stack,
                                       uint64_t argument);

/* This CPU is about to load another thread's frame: save and load what frames do not hold.
 * `stack_top` is where traps from user code begin; `space` is an address space.  Interrupts off. */
void arch_switch(struct arch_context *from, const struct arch_context *to, void *stack_top,
                 uint64_t space);

/* Trap into ARCH_INTERRUPT_YIELD: this thread's frame is complete, another's may be loaded. */
void arch_yield(void);

/* A system call's number and its arguments, and where its result goes.  TRAP_SYSCALL is raised by
 * int 0x80 and by SYSCALL alike. */
enum arch_syscall_limits {
    ARCH_SYSCALL_ARGUMENTS = 6,
};
uint64_t arch_syscall_number(const struct trap_frame *frame);
uint64_t arch_syscall_argument(const struct trap_frame *frame, unsigned n);
void arch_syscall_return(struct trap_frame *frame, int64_t result);

/* ---- Serial lines: polled, bounded, without locks; once found, anywhere ---- */

/* A line that was found: there are so many at most. */
enum arch_line {
    ARCH_LINE_FIRST,
    ARCH_LINES = 4,
};

enum arch_line_answer {
    ARCH_LINE_FOUND,   /* arch_line_init() tells whether something is there */
    ARCH_LINE_ABSENT,  /* this machine has none of that name */
    ARCH_LINE_UNKNOWN, /* not a name, or not a speed */
};

/* Find the line NAME or NAME,SPEED, in bits a second, as ARCH_LINE_NAMES says.  Two names of the
 * same line give the same one; in use, it keeps its speed. */
#define ARCH_LINE_NAMES "com1..com4|pci0..|spcr|0xPORT"
enum arch_line_answer arch_find_line(const char *name, enum arch_line *line);

/* Set the line up, 8N1.  False if there is no UART there. */
bool arch_line_init(enum arch_line line);

enum {
    ARCH_LINE_MS = 2000, /* for one burst; then the line is dead */
};

/* Send; returns the bytes taken before the UART stopped taking them (then it counts as dead, and
 * later calls give up at once until it takes one again). */
size_t arch_line_write(enum arch_line line, const void *bytes, size_t len);

/* The next byte received, or -1 if there is none. */
int arch_line_read(enum arch_line line);

/* Would it find one? */
bool arch_line_has_byte(enum arch_line line);

/* Wait, for a bounded time, until everything written has left the UART. */
void arch_line_flush(enum arch_line line);

/* Raise TRAP_NMI on a CPU when a byte arrives, or no longer.  Enabling with bytes waiting raises
 * one at once.  False if it is not certain that one comes: then a byte is seen by polling. */
bool arch_line_break_in(enum arch_line line, bool enable, unsigned cpu);

/* ---- A disk for crash records: polled, bounded, without locks ---- */

enum {
    ARCH_DISK_MS = 2000, /* for one request; then the disk is dead */
};

/* Find it, once, after arch_init_interrupts().  False if there is none. */
bool arch_disk_init(void);

/* Begin anew, whatever state the disk and its driver are in.  False if it does not answer. */
bool arch_disk_restart(void);

/* How many blocks of 512 bytes it has; 0: there is none. */
uint64_t arch_disk_blocks(void);

/* Read or write whole blocks; `bytes` lies in the kernel's image.  False if it did not work: after
 * a time-out nothing does until arch_disk_restart(). */
bool arch_disk_read(uint64_t block, void *bytes, size_t len);
bool arch_disk_write(uint64_t block, const void *bytes, size_t len);

/* ---- Traps ---- */

/* Vector number of a panic: outside the hardware's range. */
enum arch_vectors {
    ARCH_VECTOR_PANIC = 256,
};

/* Enter trap_dispatch() as TRAP_PANIC with the caller's registers; returns if a handler says so. */
void arch_panic(const char *message);

/* Execute a breakpoint instruction, here. */
void arch_breakpoint(void);

/* If a probing copy, or else a guarded call, is what trapped: make the frame leave it and say true.
 * First row of the trap table. */
bool arch_recover(struct trap *trap);

/* Call function(argument); true if it returned.  False if it trapped for good: then *caught says
 * how (its frame is gone), and whatever it had begun is left as it was.  Nests; anywhere. */
bool arch_guard(void (*function)(void *), void *argument, struct trap *caught);

/* Make the trap's frame leave the innermost guarded call of its CPU, whatever kind of trap it is.
 * False if there is none. */
bool arch_abandon(struct trap *trap);

/* Copy a frame to where no later trap overwrites it.  There is one such place. */
struct trap_frame *arch_keep_frame(const struct trap_frame *frame);

/* Raise TRAP_NMI on this CPU every ARCH_WATCHDOG_MS, or no longer.  False if the machine cannot.
 * Anywhere. */
enum {
    ARCH_WATCHDOG_MS = 50,
};
bool arch_watchdog(bool enable);

/* Call function(argument) on the emergency stack of that purpose, of this CPU, and come back. */
enum arch_stack_purpose {
    ARCH_STACK_DEBUGGER,
    ARCH_STACK_FATAL,
    ARCH_STACK_EXCEPTION, /* the architecture's own: where the kernel's exceptions are handled */
    ARCH_STACK_NMI,       /* the architecture's own: where NMIs are handled */
    ARCH_STACK_PURPOSES,
};
void arch_call_on_stack(enum arch_stack_purpose purpose, void (*function)(void *), void *argument);

/* Call function(argument) on the stack that ends at `top`, never to return. */
_Noreturn void arch_run_on_stack(void *top, void (*function)(void *), void *argument);

/* One line for people: "write to a page that is present, by the kernel".  For any trap; "" if
 * there is nothing to add to its name. */
void arch_describe_trap(const struct trap *trap, char *text, size_t size);

/* ---- The registers of a frame ---- */

/* For the stub: the register table, in GDB's order. */
extern const struct gdbstub_arch arch_gdb;

/* Copy register `reg` of arch_gdb to or from `value`.  `frame` is where the trap happened on this
 * CPU; registers that are not in it are the CPU's own.  False: no value, or not writable. */
bool arch_register_read(const struct trap_frame *frame, size_t reg, void *value);
bool arch_register_write(struct trap_frame *frame, size_t reg, const void *value);

/* The same for a thread that does not run: what is in its frame and its context. */
bool arch_parked_read(struct trap_frame *frame, struct arch_context *context, size_t reg,
                      void *value);
bool arch_parked_write(struct trap_frame *frame, struct arch_context *context, size_t reg,
                       const void *value);

uint64_t arch_frame_pc(const struct trap_frame *frame);
void arch_frame_set_pc(struct trap_frame *frame, uint64_t pc);
uint64_t arch_frame_sp(const struct trap_frame *frame);
uint64_t arch_frame_fp(const struct trap_frame *frame);

/* Was a TRAP_BREAKPOINT or TRAP_DEBUG being handled where the frame was interrupted? */
bool arch_in_debug_trap(const struct trap_frame *frame);

/* Was something else than ordinary work being handled there: any trap with a stack of its own? */
bool arch_in_trap(const struct trap_frame *frame);

/* Stop after one instruction of `frame`, which this CPU will load next, or no longer.  Meanwhile
 * interrupts are held back, although the code may see them enabled. */
void arch_frame_set_step(struct trap_frame *frame, bool step);

/* Is it to stop so? */
bool arch_frame_steps(const struct trap_frame *frame);

/* A trap was the end of a step: one more of the same frame?  False, with nothing done, if there is
 * more to see to: then ask arch_frame_set_step(), and all the others here.  Not with points. */
bool arch_step_on(const struct trap *trap);

/* Let those that wait in, before the step that this CPU is about to do: they run as if there were
 * none, and so may other threads. */
void arch_step_let_interrupts_in(void);

/* The same for a thread that does not run: it stops when it has had its turn, interrupts or not. */
void arch_parked_set_step(struct trap_frame *frame, bool step);

/* Do what the instruction at `address` does, as if the frame's pc were there; its first bytes are
 * `original`, under a breakpoint.  False, with nothing changed: not one that is known here, it
 * would fault, or data is watched. */
bool arch_execute(struct trap_frame *frame, uint64_t address, const uint8_t *original, size_t len);

/* The frame that a trap from user code has made, of a thread whose kernel stack ends at `top`:
 * while it is in the kernel. */
struct trap_frame *arch_user_frame(void *stack_top);

/* Is the next instruction one that a step must not execute, because nothing may come after it?
 * Then do its effect on `frame`: the step is over. */
bool arch_step_without_running(struct trap_frame *frame);

/* ---- Hardware break and watch points ---- */

/* Set or clear one, of any size and alignment that the debug registers can cover together.  They
 * are armed only while the kernel runs: not in a trap, so not in the debugger. */
enum gdbstub_point_result arch_insert_point(enum gdbstub_point kind, uint64_t address, size_t len);
enum gdbstub_point_result arch_remove_point(enum gdbstub_point kind, uint64_t address, size_t len);

/* Is a point what TRAP_DEBUG was about?  Then which: its kind, and the address it was inserted for.
 * After a single step, write points are found by what they watch having changed: if other CPUs
 * run, that is certain only when they have been stopped. */
bool arch_point_hit(const struct trap *trap, enum gdbstub_point *kind, uint64_t *address);

/* Was TRAP_DEBUG about points alone, none of which is there any more?  GDB has removed it between
 * the hit and its telling. */
bool arch_point_is_gone(const struct trap *trap);

/* Nothing triggers on this CPU from here on.  True if something could have. */
bool arch_disarm_points(void);

/* Arm what is inserted on this CPU, which will load the frame later: where no trap's end does it.
 */
void arch_arm_points(struct trap_frame *frame);

/* The execute point at the frame's pc has been told of: let the instruction run. */
void arch_point_told(struct trap_frame *frame);

/* Does TRAP_BREAKPOINT's pc stand behind a breakpoint instruction of the kind the stub plants, even
 * if it has been removed since?  Is it one that has been? */
bool arch_frame_behind_breakpoint(const struct trap_frame *frame);
bool arch_frame_behind_removed(const struct trap_frame *frame);

/* REGS of a record: the values of arch_gdb's integer registers, in order; see FORMAT.md. */
size_t arch_record_registers(struct trap_frame *frame, uint64_t *values, size_t max,
                             uint64_t valid[2]);
size_t arch_parked_record(struct trap_frame *frame, struct arch_context *context, uint64_t *values,
                          size_t max, uint64_t valid[2]);

#endif
