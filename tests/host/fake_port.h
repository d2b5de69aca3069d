/*
 * fake_port.h - a machine made of arrays, for the stub's tests, its fuzzer and pipe_target.c, and
 * the other end of the wire: a client that frames requests and takes replies apart by its own
 * means.  Executes nothing by itself.
 *
 * Memory: 64 KiB from address 0 in pages that may be absent or read-only, and one page at the very
 * end of the address space.  Registers: those of GDB's x86-64 core, and some that only test.
 */
#ifndef TESTS_HOST_FAKE_PORT_H
#define TESTS_HOST_FAKE_PORT_H

#include "gdbstub/gdbstub.h"

enum {
    FAKE_PAGE = 0x1000,
    FAKE_PAGES = 16,
    FAKE_MEMORY = FAKE_PAGE * FAKE_PAGES,

    FAKE_THREADS = 2,       /* with registers of their own; thread n has those of (n - 1) % 2 */
    FAKE_MAX_THREADS = 999, /* that can be listed */
    FAKE_OUTPUT = 1 << 16,
    FAKE_PACKET = 1 << 15, /* a decoded packet, with its NUL */
};

#define FAKE_TOP_PAGE (UINT64_MAX - FAKE_PAGE + 1)

enum fake_register {
    FAKE_RAX = 0,
    FAKE_RBP = 6,
    FAKE_RSP = 7,
    FAKE_RIP = 16,
    FAKE_EFLAGS = 17,
    FAKE_CS = 18,
    FAKE_GS = 23,
    FAKE_ST0 = 24,
    FAKE_WIDE = 40,   /* 128 bits, outside of `g` */
    FAKE_ABSENT = 41, /* has no value */
    FAKE_REGISTERS = 42,
};

struct fake_point {
    enum gdbstub_point kind;
    uint64_t address;
    size_t length;
    bool used;
};

enum {
    FAKE_POINTS = 4,
};

struct fake_machine {
    struct gdbstub stub;
    struct gdbstub_port port;

    uint8_t memory[FAKE_MEMORY + FAKE_PAGE];
    bool absent[FAKE_PAGES + 1], read_only[FAKE_PAGES + 1];
    bool rom[FAKE_PAGES + 1]; /* writes succeed and change nothing */
    size_t reads, writes;     /* calls */

    uint8_t registers[FAKE_THREADS][FAKE_REGISTERS][GDBSTUB_REGISTER_BYTES];
    bool without_value[FAKE_REGISTERS], constant[FAKE_REGISTERS];
    size_t register_writes; /* calls */

    gdbstub_thread threads;     /* how many */
    gdbstub_thread dead_thread; /* this one has ended; 0: none */
    struct gdbstub_resume resume[FAKE_MAX_THREADS + 1];
    size_t resumes;             /* set_resume calls */
    gdbstub_thread unsteppable; /* 0: none */

    uint64_t refused_from, refused_to; /* no breakpoints in there */
    struct fake_point points[FAKE_POINTS];

    uint8_t output[FAKE_OUTPUT]; /* what was sent, */
    size_t output_length;
    size_t output_taken; /* and how much of it the client has looked at */
    char reply[FAKE_PACKET];
};

/* A machine of two threads that runs, no page absent but the first, and a stub without a client. */
void fake_init(struct fake_machine *machine);

uint64_t fake_get(const struct fake_machine *machine, gdbstub_thread thread, size_t reg);
void fake_set(struct fake_machine *machine, gdbstub_thread thread, size_t reg, uint64_t value);
/* The byte at an address, or NULL if there is none. */
uint8_t *fake_byte(struct fake_machine *machine, uint64_t addr);

/* ---- The client ---- */

/* Push raw bytes into the stub; returns the last event that was not WAIT, or WAIT. */
enum gdbstub_event fake_receive(struct fake_machine *machine, const void *bytes, size_t len);
/* Frame a request and push it. */
enum gdbstub_event fake_request(struct fake_machine *machine, const void *data, size_t len);
/* The machine stops: a step, a breakpoint, ... of a thread. */
enum gdbstub_event fake_stop(struct fake_machine *machine, enum gdbstub_cause cause,
                             enum gdbstub_signal signal, gdbstub_thread thread);

/* Stop thread 1 with SIGTRAP and attach a client that announces all there is, in no-ack mode. */
void fake_attach(struct fake_machine *machine);
/* Send a request of text.  Returns the one reply, decoded but for escapes, or "(none)"; a second
 * one aborts the program. */
const char *fake_exchange(struct fake_machine *machine, const char *request);

/*
 * Take the next packet from what the stub has sent: checked, run lengths expanded, escapes left
 * alone, NUL-terminated in `packet` (FAKE_PACKET bytes).  Acknowledgements before it are skipped
 * and counted in `acks` (may be NULL).  Returns its length, or -1 if there is none; what is not a
 * proper packet or an acknowledgement aborts the program, saying why.
 */
long fake_take_packet(struct fake_machine *machine, char *packet, int *acks);
/* Undo the escapes in place; returns the length. */
size_t fake_unescape(char *data, size_t len);

#endif
