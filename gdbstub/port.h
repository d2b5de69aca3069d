/*
 * port.h - what the stub asks of a kernel, and what it must know about the processor.
 *
 * One const struct of functions, another of data.  Sizes that both sides need are here, too.
 */
#ifndef GDBSTUB_PORT_H
#define GDBSTUB_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gdbstub_limits {
    GDBSTUB_PACKET_SIZE = 4096,    /* bytes between '$' and '#', announced as PacketSize */
    GDBSTUB_MAX_BREAKPOINTS = 256, /* software breakpoints planted at one time */
    GDBSTUB_BREAKPOINT_BYTES = 8,  /* longest breakpoint instruction */
    GDBSTUB_REGISTER_BYTES = 16,   /* widest register */
    GDBSTUB_NAME_SIZE = 32,        /* thread and state names, with the NUL */
    GDBSTUB_MAX_POINTS = 16,       /* hardware points inserted at one time */
    GDBSTUB_MAX_ORDERS = 16,       /* actions in one vCont */
    GDBSTUB_AGENT_BYTES = 4096,    /* conditions and commands of all breakpoints together */
    GDBSTUB_AGENT_STACK = 64,      /* values that an expression may keep at one time */
    GDBSTUB_PRINT_BYTES = 200,     /* the longest text given to port.print at once */
    GDBSTUB_MAX_SYSCALLS = 512,    /* system call numbers that can be caught one by one */
};

/* Threads are numbered by the port, from 1.  Kernels without threads use one per CPU, and leave
 * next_thread and thread_info NULL if there is one CPU. */
typedef uint64_t gdbstub_thread;

enum gdbstub_any_thread {
    GDBSTUB_NO_THREAD = 0,
};

/* GDB's own signal numbers (include/gdb/signals.def), which are not the host's. */
enum gdbstub_signal {
    GDBSTUB_SIGNAL_NONE = 0,
    GDBSTUB_SIGINT = 2,
    GDBSTUB_SIGILL = 4,
    GDBSTUB_SIGTRAP = 5,
    GDBSTUB_SIGABRT = 6,
    GDBSTUB_SIGFPE = 8,
    GDBSTUB_SIGBUS = 10,
    GDBSTUB_SIGSEGV = 11,
};

/* Why the machine stopped. */
enum gdbstub_cause {
    GDBSTUB_CAUSE_SIGNAL,         /* a fault, a step or a break-in: the signal says it all */
    GDBSTUB_CAUSE_SW_BREAK,       /* a breakpoint instruction; the pc must be AT it */
    GDBSTUB_CAUSE_HW_BREAK,       /* an execute breakpoint in a debug register */
    GDBSTUB_CAUSE_WATCH_WRITE,    /* a write watchpoint */
    GDBSTUB_CAUSE_WATCH_ACCESS,   /* an access watchpoint */
    GDBSTUB_CAUSE_SYSCALL_ENTRY,  /* a system call that GDB catches is about to begin */
    GDBSTUB_CAUSE_SYSCALL_RETURN, /* ... has ended */
};

struct gdbstub_stop {
    enum gdbstub_cause cause;
    enum gdbstub_signal signal;
    gdbstub_thread thread; /* the one that stopped */
    uint64_t address;      /* WATCH causes: the watched data's address; SYSCALL causes: the
                              number of the system call; otherwise ignored */
    uint8_t judged;        /* private: what gdbstub_filter() found; 0 at first */
};

/* What one thread does when the machine resumes. */
enum gdbstub_action {
    GDBSTUB_HOLD, /* stay stopped */
    GDBSTUB_STEP, /* one instruction, then stop */
    GDBSTUB_RUN,  /* go on */
};

struct gdbstub_resume {
    enum gdbstub_action action;
    enum gdbstub_signal signal; /* pass the fault to the kernel; NONE: forget it, try again */
};

/* Hardware points, numbered as in the Z packets. */
enum gdbstub_point {
    GDBSTUB_POINT_EXECUTE = 1,
    GDBSTUB_POINT_WRITE = 2,
    GDBSTUB_POINT_READ = 3,
    GDBSTUB_POINT_ACCESS = 4,
};

enum gdbstub_point_result {
    GDBSTUB_POINT_DONE,
    GDBSTUB_POINT_NONE_FREE,   /* E reply: GDB says that it ran out */
    GDBSTUB_POINT_UNSUPPORTED, /* empty reply: GDB tries another kind */
};

/* One register.  Its index in the table is GDB's number for it. */
struct gdbstub_register {
    const char *name;
    const char *type;  /* "int64", "code_ptr", a feature's own, ...; NULL: GDB's default */
    const char *group; /* "general", "float", "system", ...; NULL: GDB's default */
    uint16_t bits;     /* a multiple of 8, at most 8 * GDBSTUB_REGISTER_BYTES */
    uint8_t feature;   /* index into gdbstub_arch.features; registers of one are adjacent */
};

/* One <feature> of the target description. */
struct gdbstub_feature {
    const char *name;  /* "org.gnu.gdb.i386.core" */
    const char *types; /* the XML of its own types, or "" */
};

/* What can be done with memory. */
enum gdbstub_access {
    GDBSTUB_READ = 1 << 0,
    GDBSTUB_WRITE = 1 << 1,
    GDBSTUB_EXECUTE = 1 << 2,
};

/* Addresses [start, start + length); the last range of all may end at 2^64. */
struct gdbstub_range {
    uint64_t start, length;
    unsigned access; /* enum gdbstub_access bits; 0: nothing is there */
    char name[GDBSTUB_NAME_SIZE];
};

/*
 * A read-only object that GDB can fetch, made of bytes at hand or made as they are asked for.  Its
 * name begins with what it is for:
 *
 *     "file/NAME"      a file: `remote get NAME`, and what "exec-file/" names
 *     "exec-file/"     the name of the file with the kernel's symbols, as text: "/kernel.elf"
 *     "osdata/TABLE"   a table of `info os`, in GDB's XML; "osdata/" is the table of the tables
 *
 * `read` copies what there is of `len` bytes from `offset` on, returns how many, and fewer only
 * at the end; any offset and length is safe.  `size` is asked for files only; NULL, or UINT64_MAX
 * as its answer: the object does not exist (now).
 */
struct gdbstub_object {
    const char *name;
    uint64_t (*size)(void *ctx, const struct gdbstub_object *object);
    size_t (*read)(void *ctx, const struct gdbstub_object *object, uint64_t offset, void *buf,
                   size_t len);
};

/* What the stub must know about the processor: data only. */
struct gdbstub_arch {
    const char *architecture; /* of the target description: "i386:x86-64" */
    const char *triple;       /* LLDB's name for all of it, "x86_64-unknown-none"; or NULL */
    const char *osabi;        /* of the target description, or NULL */
    /* The parts of the target description.  Count 0: the registers are the first of those that GDB
     * itself has for the architecture, and only their sizes matter.  LLDB wants them described. */
    const struct gdbstub_feature *features;
    size_t feature_count;
    const struct gdbstub_register *registers;
    size_t register_count;
    size_t pc;                 /* which register is the program counter; 32 or 64 bits */
    size_t g_count;            /* how many registers, from 0, a `g` reply holds */
    const uint16_t *expedited; /* sent with each stop reply: frame and stack pointer, pc */
    size_t expedited_count;
    const uint8_t *breakpoint; /* the breakpoint instruction */
    size_t breakpoint_size;    /* at most GDBSTUB_BREAKPOINT_BYTES */
    /* All addresses that there can be, or count 0.  What is not listed GDB will not look at, not
     * even when something is mapped there later. */
    const struct gdbstub_range *addresses;
    size_t address_count;
    /* Where the ELF file loads what runs elsewhere, and how far away: GDB's compare-sections asks
     * by load addresses.  Length 0: everything runs where it is loaded. */
    struct gdbstub_range loaded;
    uint64_t loaded_offset; /* added to a load address */
};

struct gdbstub_thread_info {
    char name[GDBSTUB_NAME_SIZE];  /* "main" */
    char state[GDBSTUB_NAME_SIZE]; /* "running", "sleeping": free text */
    unsigned cpu;                  /* where it runs, or ran last */
};

/*
 * The port: all that the stub asks of the kernel.
 *
 * Called with the machine stopped (`send` also while it runs, to answer a request that broke
 * in), never concurrently, on the caller's stack.  No function may block, allocate or fault.
 * `ctx` comes back unchanged.  A function under "optional" may be NULL: its packets then get the
 * empty reply and it is not advertised.  Byte order of register values is the target's.
 */
struct gdbstub_port {
    void *ctx;
    const struct gdbstub_arch *arch;

    /* Send `len` bytes to GDB; returns when the last one is with the wire, or it is dead. */
    void (*send)(void *ctx, const void *bytes, size_t len);

    /* Copy register `reg` of `thread` to or from `value`, bits / 8 bytes.  False if it has no
     * value (GDB shows <unavailable>), or cannot be written, or the thread is gone. */
    bool (*read_register)(void *ctx, gdbstub_thread thread, size_t reg, void *value);
    bool (*write_register)(void *ctx, gdbstub_thread thread, size_t reg, const void *value);

    /* Copy memory as `thread` sees it.  Returns how many bytes were copied before the first
     * address that cannot be reached; any address and length is safe.  Writes go through to
     * read-only memory: a debugger may do that. */
    size_t (*read_memory)(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf, size_t len);
    size_t (*write_memory)(void *ctx, gdbstub_thread thread, uint64_t addr, const void *buf,
                           size_t len);

    /* May a breakpoint stand at [addr, addr + len)?  NULL if so, else the reason for people:
     * "in the debugger itself".  Asked for software and execute breakpoints. */
    const char *(*refuse_breakpoint)(void *ctx, uint64_t addr, size_t len);

    /* Note what `thread` does at the next GDBSTUB_RESUME; called for every thread before it.
     * NULL on success, else the reason why it cannot: "not running on a CPU: cannot be
     * stepped"; then nothing resumes and GDB is told. */
    const char *(*set_resume)(void *ctx, gdbstub_thread thread, struct gdbstub_resume how);

    /* Optional, both or neither: without them there is one thread, number 1.
     * The thread after `thread` in any fixed order; after GDBSTUB_NO_THREAD the first; after the
     * last GDBSTUB_NO_THREAD.  There is always one. */
    gdbstub_thread (*next_thread)(void *ctx, gdbstub_thread thread);

    /* Describe a thread.  False if it does not exist (any more). */
    bool (*thread_info)(void *ctx, gdbstub_thread thread, struct gdbstub_thread_info *info);

    /* Optional.  Set or clear a hardware point; the kind may be one that does not exist. */
    enum gdbstub_point_result (*insert_point)(void *ctx, enum gdbstub_point kind, uint64_t addr,
                                              size_t len);
    enum gdbstub_point_result (*remove_point)(void *ctx, enum gdbstub_point kind, uint64_t addr,
                                              size_t len);

    /* Optional.  Do on `thread` alone what the instruction at its pc does, the first bytes of which
     * are `original`: a breakpoint stands over them, and stays.  No other thread need be held.
     * False, with nothing changed, for an instruction that it cannot do, or whose memory cannot be
     * reached, or if a watchpoint could miss it: then the breakpoint is lifted for one step. */
    bool (*execute)(void *ctx, gdbstub_thread thread, uint64_t addr, const uint8_t *original,
                    size_t len);

    /* Optional.  Text that a breakpoint's command prints, for the kernel's log: up to
     * GDBSTUB_PRINT_BYTES, without a NUL.  GDB gets it too, if it waits for a stop. */
    void (*print)(void *ctx, const char *text, size_t len);

    /* Optional.  "monitor COMMAND": the text printed goes to GDB's console.  False, before
     * anything is printed, if there is no such command. */
    bool (*monitor)(void *ctx, const char *command, void (*print)(void *to, const char *text),
                    void *to);

    /* Optional.  Describe the range that holds `addr`: the memory, or the hole, as long as it is
     * the same all over.  False if there is no such address. */
    bool (*memory_region)(void *ctx, gdbstub_thread thread, uint64_t addr,
                          struct gdbstub_range *range);

    /* Optional.  What GDB may fetch: object_count of them, all with the same `ctx`. */
    const struct gdbstub_object *objects;
    size_t object_count;

    bool can_restart;  /* GDBSTUB_RESTART is understood */
    bool is_terminal;  /* people type on the line, too: three line ends outside of packets, one
                          after the other, are somebody who finds no GDB there, and as good as D */
    bool has_syscalls; /* the port asks gdbstub_catches_syscall() */
};

#endif
