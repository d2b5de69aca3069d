/*
 * fake_port.h - a machine made of arrays, for the stub's tests, its fuzzer and pipe_target.c.
 * Executes nothing by itself.
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
    FAKE_LOG = 1 << 12,
    FAKE_FILE = 10000,     /* bytes of the file "counting" */
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

    bool executes;      /* port.execute does its work: a byte further on */
    size_t executions;  /* its calls */
    char log[FAKE_LOG]; /* what port.print was given */

    uint64_t refused_from, refused_to; /* no breakpoints in there */
    struct fake_point points[FAKE_POINTS];

    uint8_t output[FAKE_OUTPUT]; /* what was sent */
    size_t output_length;
    size_t output_taken;     /* how much of it fake_client.c has looked at */
    char reply[FAKE_PACKET]; /* the last packet in it */
};

/* What can be fetched from it. */
enum {
    FAKE_OBJECTS = 4,
};
extern const struct gdbstub_object fake_objects[FAKE_OBJECTS];

/* A machine of two threads that runs, no page absent but the first, and a stub without a client. */
void fake_init(struct fake_machine *machine);

uint64_t fake_get(const struct fake_machine *machine, gdbstub_thread thread, size_t reg);
void fake_set(struct fake_machine *machine, gdbstub_thread thread, size_t reg, uint64_t value);
/* The byte at an address, or NULL if there is none. */
uint8_t *fake_byte(struct fake_machine *machine, uint64_t addr);

#endif
