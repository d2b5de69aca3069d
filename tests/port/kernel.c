/*
 * kernel.c - the second kernel: the smallest that uses both libraries, and unlike the first.
 *
 * One processor, no threads, no user programs; addresses are physical ones, and 2 MiB is the first.
 * It counts the keys that are typed at its console (COM1), and forgets that a key may have no
 * counter: that is how it crashes.  GDB is at COM2.
 */
#include "kernel.h"

enum {
    MEMORY_START = 2 << 20, /* what boot.asm maps */
    MEMORY_END = 64 << 20,
    EXIT = 0xf4,  /* QEMU's isa-debug-exit; its status is */
    CRASHED = 70, /* ... a record was written */
    FAILED = 71,  /* ... the debugger itself has faulted */
    PIC = 0x20,   /* the first 8259 */
    PIC_END_OF_INTERRUPT = 0x20,
    TRAP_FLAG = 1 << 8,    /* in eflags: trap behind the next instruction */
    RESUME_FLAG = 1 << 16, /* ... which passes its own execute point */
    ONLY_THREAD = 1,
};

enum vector {
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_GDB = 32 + 3, /* COM2 is the first 8259's third line */
};

extern const uint8_t debugger_text[], debugger_text_end[]; /* kernel.ld */

static struct gdbstub stub;

/* ---- Serial lines (8250) ---- */

enum {
    UART_INTERRUPTS = 1,
    UART_FIFO = 2,
    UART_FORMAT = 3,
    UART_MODEM = 4,
    UART_STATUS = 5,
    UART_HAS_BYTE = 1 << 0, /* in UART_STATUS */
    UART_HAS_ROOM = 1 << 5,
};

DEBUGGER static void port_write(unsigned port, uint8_t value)
{
    __asm__ volatile("outb %0, %w1" : : "a"(value), "d"(port));
}

DEBUGGER static uint8_t port_read(unsigned port)
{
    uint8_t value;

    __asm__ volatile("inb %w1, %0" : "=a"(value) : "d"(port));
    return value;
}

static void uart_init(enum line uart)
{
    port_write(uart + UART_FORMAT, 0x80);
    port_write(uart, 1); /* 115200 baud */
    port_write(uart + UART_INTERRUPTS, 0);
    port_write(uart + UART_FORMAT, 3);
    port_write(uart + UART_FIFO, 0xc7);
    port_write(uart + UART_MODEM, 0xb);
    port_write(uart + UART_INTERRUPTS, 1);
}

DEBUGGER static bool uart_has_byte(enum line uart)
{
    return (port_read(uart + UART_STATUS) & UART_HAS_BYTE) != 0;
}

DEBUGGER static uint8_t uart_read(enum line uart)
{
    while (!uart_has_byte(uart))
        ;
    return port_read(uart);
}

DEBUGGER bool uart_write(enum line uart, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;

    for (unsigned tries = 1000000; len > 0 && tries > 0; tries--) {
        if ((port_read(uart + UART_STATUS) & UART_HAS_ROOM) != 0) {
            port_write(uart, *byte++);
            len--;
            tries = 1000000;
        }
    }
    return len == 0;
}

/* QEMU ends: see scripts/qemu.py. */
DEBUGGER static _Noreturn void leave(uint8_t status)
{
    for (;;)
        port_write(EXIT, status);
}

/* ---- Debug registers (SDM 3B 17.2) ---- */

enum { POINTS = 4 };

static struct {
    uint64_t address[POINTS]; /* DR0 to DR3 */
    uint64_t control;         /* DR7 */
} points;

DEBUGGER static bool is_set(unsigned n)
{
    return (points.control >> 2 * n & 3) != 0;
}

/* DR7's bits of point n that say when it hits: 0 execute, 1 write, 3 access. */
DEBUGGER static unsigned point_condition(unsigned n)
{
    return points.control >> (16 + 4 * n) & 3;
}

/* What DR7 holds of point n when it is set. */
DEBUGGER static uint64_t point_bits(unsigned n, unsigned condition, size_t len)
{
    static const uint8_t lengths[] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};

    return UINT64_C(2) << 2 * n | (uint64_t)(condition | lengths[len] << 2) << (16 + 4 * n);
}

DEBUGGER static void change_point(unsigned n, uint64_t addr, uint64_t bits)
{
    points.address[n] = addr;
    points.control ^= bits;
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3; mov %4, %%dr7"
                     :
                     : "r"(points.address[0]), "r"(points.address[1]), "r"(points.address[2]),
                       "r"(points.address[3]), "r"(points.control));
}

DEBUGGER bool set_point(unsigned condition, uint64_t addr, size_t len)
{
    for (unsigned n = 0; n < POINTS && len <= 8 && (len & (len - 1)) == 0; n++) {
        if (is_set(n))
            continue;
        change_point(n, addr, point_bits(n, condition, len));
        return true;
    }
    return false;
}

DEBUGGER void clear_point(unsigned condition, uint64_t addr, size_t len)
{
    for (unsigned n = 0; n < POINTS; n++) {
        uint64_t bits = point_bits(n, condition, len);
        if (is_set(n) && points.address[n] == addr &&
            ((points.control ^ bits) >> (16 + 4 * n) & 15) == 0)
            change_point(n, addr, bits);
    }
}

/* Which point was hit, by DR6, which the processor never clears; POINTS: none. */
DEBUGGER static unsigned take_hit(void)
{
    uint64_t status;
    unsigned n = 0;

    __asm__ volatile("mov %%dr6, %0; mov %1, %%dr6" : "=&r"(status) : "r"(UINT64_C(0xffff0ff0)));
    while (n < POINTS && ((status >> n & 1) == 0 || !is_set(n)))
        n++;
    return n;
}

/* ---- Memory ---- */

DEBUGGER size_t mapped(uint64_t addr, size_t len)
{
    if (addr < MEMORY_START || addr >= MEMORY_END)
        return 0;
    return len < MEMORY_END - addr ? len : MEMORY_END - addr;
}

DEBUGGER bool is_debugger(uint64_t addr, size_t len)
{
    return addr < (uintptr_t)debugger_text_end && addr + len > (uintptr_t)debugger_text;
}

/* ---- Traps ---- */

static const struct {
    const char *name;
    enum gdbstub_signal signal;
    enum crash_kind kind;
} exceptions[VECTORS] = {
    [0] = {"divide error", GDBSTUB_SIGFPE, CRASH_KIND_ARITHMETIC},
    [VECTOR_DEBUG] = {"debug exception", GDBSTUB_SIGTRAP, CRASH_KIND_DEBUG},
    [VECTOR_BREAKPOINT] = {"breakpoint", GDBSTUB_SIGTRAP, CRASH_KIND_BREAKPOINT},
    [6] = {"invalid opcode", GDBSTUB_SIGILL, CRASH_KIND_INSTRUCTION},
    [13] = {"general protection", GDBSTUB_SIGSEGV, CRASH_KIND_PROTECTION},
    [VECTOR_PAGE_FAULT] = {"page fault", GDBSTUB_SIGSEGV, CRASH_KIND_PAGE_FAULT},
};

/* GDB has the machine until it resumes. */
DEBUGGER static void serve(const struct gdbstub_stop *why)
{
    enum gdbstub_event event = gdbstub_stopped(&stub, why);

    while (event == GDBSTUB_WAIT)
        event = gdbstub_receive(&stub, uart_read(GDB));
    if (event == GDBSTUB_KILL)
        leave(0);
}

/* Step or run, whichever was said of the one thread. */
DEBUGGER static void go_on(struct frame *frame)
{
    frame->eflags &= ~(uint64_t)TRAP_FLAG;
    if (resume.action == GDBSTUB_STEP)
        frame->eflags |= TRAP_FLAG;
    frame->eflags |= RESUME_FLAG;
}

/* Why it trapped, for GDB.  A breakpoint is AT its instruction. */
DEBUGGER static struct gdbstub_stop explain(struct frame *frame)
{
    struct gdbstub_stop why = {.signal = exceptions[frame->vector].signal, .thread = ONLY_THREAD};
    unsigned hit;

    if (frame->vector == VECTOR_BREAKPOINT) {
        frame->rip -= 1;
        why.cause = GDBSTUB_CAUSE_SW_BREAK;
    } else if (frame->vector == VECTOR_DEBUG && (hit = take_hit()) < POINTS) {
        static const enum gdbstub_cause causes[] = {
            GDBSTUB_CAUSE_HW_BREAK, GDBSTUB_CAUSE_WATCH_WRITE, 0, GDBSTUB_CAUSE_WATCH_ACCESS};
        why.cause = causes[point_condition(hit)];
        why.address = points.address[hit];
    }
    return why;
}

/* False: nobody debugs, or the fault is the kernel's to deal with. */
DEBUGGER static bool debug(struct frame *frame)
{
    struct gdbstub_stop why = explain(frame);

    stopped = frame;
    resume = (struct gdbstub_resume){GDBSTUB_RUN, GDBSTUB_SIGNAL_NONE};
    enum gdbstub_event event = gdbstub_filter(&stub, &why);
    if (event == GDBSTUB_WAIT)
        return false;
    if (event != GDBSTUB_RESUME)
        serve(&why);
    go_on(frame);
    return resume.signal == GDBSTUB_SIGNAL_NONE;
}

/* A byte has come from GDB while the kernel ran. */
DEBUGGER static void listen(struct frame *frame)
{
    static const struct gdbstub_stop break_in = {.signal = GDBSTUB_SIGINT, .thread = ONLY_THREAD};

    stopped = frame;
    resume = (struct gdbstub_resume){GDBSTUB_RUN, GDBSTUB_SIGNAL_NONE};
    while (uart_has_byte(GDB)) {
        if (gdbstub_receive(&stub, uart_read(GDB)) != GDBSTUB_BREAK_IN)
            continue;
        serve(&break_in);
        go_on(frame);
        return;
    }
}

static _Noreturn void crash(const struct frame *frame)
{
    struct crash_cause cause = {
        .kind = exceptions[frame->vector].kind,
        .vector = (uint32_t)frame->vector,
        .error = frame->error,
        .pc = frame->rip,
    };

    if (frame->vector == VECTOR_PAGE_FAULT) {
        __asm__("mov %%cr2, %0" : "=r"(cause.address));
        cause.access = (uint32_t)frame->error; /* the bits have the same places */
    }
    for (const char *from = exceptions[frame->vector].name; from != NULL && *from != '\0'; from++)
        cause.name[from - exceptions[frame->vector].name] = *from;
    write_record(frame, &cause);
    leave(CRASHED);
}

DEBUGGER void trap(struct frame *frame)
{
    if (frame->vector == VECTOR_GDB) {
        port_write(PIC, PIC_END_OF_INTERRUPT);
        listen(frame);
    } else if (is_debugger(frame->rip, 1)) {
        /* A point was hit during a step: QEMU traps twice, and this trap interrupts the other's
         * first instruction. */
        if (frame->vector != VECTOR_DEBUG)
            leave(FAILED);
    } else if (!debug(frame)) {
        crash(frame);
    }
}

static void traps_init(void)
{
    static uint64_t gates[VECTORS][2]; /* SDM 3A 6.14.1 */
    static const struct __attribute__((packed)) {
        uint16_t limit;
        const void *base;
    } idt = {sizeof gates - 1, gates};
    uint64_t interrupt_gate = UINT64_C(0x8e) << 40 | 8 << 16;

    for (unsigned n = 0; n < VECTORS; n++) {
        uint64_t entry = (uintptr_t)entries[n];
        gates[n][0] = entry >> 16 << 48 | interrupt_gate | (entry & 0xffff);
    }
    __asm__ volatile("lidt %0" : : "m"(idt));
    /* 8259: its interrupts from vector 32 on, all masked but GDB's line. */
    static const uint8_t pic[] = {0x11, 32, 4, 1, 0xff & ~(1 << (VECTOR_GDB - 32))};
    for (size_t i = 0; i < sizeof pic; i++)
        port_write(i == 0 ? PIC : PIC + 1, pic[i]);
}

/* ---- What the kernel does ---- */

struct counter {
    char key;
    uint64_t presses;
};

static struct counter counters[] = {{'a', 0}, {'b', 0}, {'c', 0}};
static uint64_t turns;

__attribute__((noinline)) static struct counter *find_counter(char key)
{
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        if (counters[i].key == key)
            return &counters[i];
    }
    return NULL;
}

/* Its mistake: there may be no counter. */
__attribute__((noinline)) static void count_key(char key)
{
    struct counter *counter = find_counter(key);

    counter->presses++;
    uart_write(CONSOLE, &key, 1);
}

__attribute__((noinline)) static void take_turn(void)
{
    turns++;
    if (uart_has_byte(CONSOLE))
        count_key((char)uart_read(CONSOLE));
}

void kernel_main(void)
{
    static const char ready[] = "ready: a, b, c count\n";

    uart_init(CONSOLE);
    uart_init(GDB);
    gdbstub_init(&stub, &gdb_port);
    traps_init();
    __asm__ volatile("sti");
    uart_write(CONSOLE, ready, sizeof ready - 1);
    for (;;)
        take_turn();
}
