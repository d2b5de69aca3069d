/*
 * pipe_target.c - the fake machine behind standard input and output, for a real GDB:
 *
 *     gcc -I. -o pipe_target tests/host/pipe_target.c tests/host/fake_[op]*.c gdbstub/[a-z]*.c
 *     gdb -batch -ex 'target remote | ./pipe_target' -ex 'x/4i $pc' -ex stepi
 *
 * Its processor knows five instructions, enough for a loop to step, break and watch in.  Both
 * threads run that loop.
 */
#include "fake_port.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CODE = 0x1000,
    COUNTER = 0x3000, /* incremented once in each turn of the loop */
    STACK = 0x8000,
    SLICE = 1000, /* instructions between two looks at the input */
};

static const uint8_t program[] = {
    0x90,         0x90, 0x90,                 /* nop; nop; nop */
    0xff,         0x04, 0x25, COUNTER & 0xff, /* incl COUNTER */
    COUNTER >> 8, 0,    0,    0x90,           /* nop */
    0xeb,         0xf3,                       /* jmp CODE */
};

/* ---- The processor ---- */

static bool matches(struct fake_machine *machine, enum gdbstub_point kind, uint64_t addr)
{
    for (size_t i = 0; i < FAKE_POINTS; i++) {
        const struct fake_point *point = &machine->points[i];
        if (point->used && point->kind == kind && addr - point->address < point->length)
            return true;
    }
    return false;
}

/* Execute one instruction.  False if it traps; `stop` then says how. */
static bool execute(struct fake_machine *machine, gdbstub_thread thread, struct gdbstub_stop *stop)
{
    uint64_t pc = fake_get(machine, thread, FAKE_RIP);
    const uint8_t *code = fake_byte(machine, pc);
    uint32_t counter;

    *stop = (struct gdbstub_stop){GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, thread, COUNTER};
    if (code == NULL) {
        stop->signal = GDBSTUB_SIGSEGV;
        return false;
    }
    switch (*code) {
    case 0x90:
        fake_set(machine, thread, FAKE_RIP, pc + 1);
        return true;
    case 0xeb:
        fake_set(machine, thread, FAKE_RIP, pc + 2 + (uint64_t)(int8_t)code[1]);
        return true;
    case 0xff:
        memcpy(&counter, machine->memory + COUNTER, sizeof(counter));
        counter++;
        memcpy(machine->memory + COUNTER, &counter, sizeof(counter));
        fake_set(machine, thread, FAKE_RIP, pc + 7);
        if (matches(machine, GDBSTUB_POINT_ACCESS, COUNTER))
            stop->cause = GDBSTUB_CAUSE_WATCH_ACCESS;
        else if (matches(machine, GDBSTUB_POINT_WRITE, COUNTER))
            stop->cause = GDBSTUB_CAUSE_WATCH_WRITE;
        return stop->cause == GDBSTUB_CAUSE_SIGNAL;
    case 0xcc:
        stop->cause = GDBSTUB_CAUSE_SW_BREAK; /* the pc is still at it */
        return false;
    default:
        stop->signal = GDBSTUB_SIGILL;
        return false;
    }
}

/* An execute breakpoint is met before its instruction, unless the machine has just stopped there.
 */
static bool run_one(struct fake_machine *machine, gdbstub_thread thread, bool first,
                    struct gdbstub_stop *stop)
{
    if (machine->resume[thread].action == GDBSTUB_HOLD)
        return true;
    if (!first && matches(machine, GDBSTUB_POINT_EXECUTE, fake_get(machine, thread, FAKE_RIP))) {
        *stop = (struct gdbstub_stop){GDBSTUB_CAUSE_HW_BREAK, GDBSTUB_SIGTRAP, thread, 0};
        return false;
    }
    return execute(machine, thread, stop) && machine->resume[thread].action != GDBSTUB_STEP;
}

/* Run a while.  False if a thread stopped. */
static bool run(struct fake_machine *machine, bool *resumed, struct gdbstub_stop *stop)
{
    for (int i = 0; i < SLICE; i++) {
        for (gdbstub_thread thread = 1; thread <= FAKE_THREADS; thread++) {
            if (!run_one(machine, thread, *resumed && i == 0, stop))
                return false;
        }
    }
    *resumed = false;
    return true;
}

/* ---- The wire ---- */

static void flush(struct fake_machine *machine)
{
    size_t done = 0;

    while (done < machine->output_length) {
        ssize_t written =
            write(STDOUT_FILENO, machine->output + done, machine->output_length - done);
        if (written <= 0)
            exit(0);
        done += (size_t)written;
    }
    machine->output_length = 0;
}

/* The next byte, -1 if there is none and `wait` is false; the end of the input ends the program. */
static int next_byte(bool wait)
{
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    uint8_t byte;

    if (!wait && poll(&input, 1, 0) <= 0)
        return -1;
    if (read(STDIN_FILENO, &byte, 1) != 1)
        exit(0);
    return byte;
}

static enum gdbstub_event serve(struct fake_machine *machine, enum gdbstub_event event)
{
    flush(machine);
    while (event == GDBSTUB_WAIT) {
        event = gdbstub_receive(&machine->stub, (uint8_t)next_byte(true));
        flush(machine);
    }
    return event;
}

static bool break_in_wanted(struct fake_machine *machine)
{
    int byte;
    bool wanted = false;

    while (!wanted && (byte = next_byte(false)) >= 0)
        wanted = gdbstub_receive(&machine->stub, (uint8_t)byte) == GDBSTUB_BREAK_IN;
    flush(machine);
    return wanted;
}

static void let_all_run(struct fake_machine *machine)
{
    for (gdbstub_thread thread = 1; thread <= FAKE_THREADS; thread++)
        machine->resume[thread].action = GDBSTUB_RUN;
}

static void power_on(struct fake_machine *machine)
{
    fake_init(machine);
    memcpy(machine->memory + CODE, program, sizeof(program));
    for (gdbstub_thread thread = 1; thread <= FAKE_THREADS; thread++) {
        fake_set(machine, thread, FAKE_RIP, CODE);
        fake_set(machine, thread, FAKE_RSP, STACK + 0x800 * thread);
    }
    let_all_run(machine);
}

int main(void)
{
    static struct fake_machine machine;
    struct gdbstub_stop stop;
    bool resumed = false;

    power_on(&machine);
    for (;;) {
        /* Also between the steps of a range: ^C ends one. */
        if (break_in_wanted(&machine))
            stop = (struct gdbstub_stop){GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1, 0};
        else if (run(&machine, &resumed, &stop))
            continue;
        enum gdbstub_event event = serve(&machine, gdbstub_stopped(&machine.stub, &stop));
        if (event == GDBSTUB_KILL)
            return 0;
        if (event == GDBSTUB_RESTART) {
            uint32_t saved = gdbstub_save(&machine.stub);
            power_on(&machine);
            gdbstub_restore(&machine.stub, saved);
            stop = (struct gdbstub_stop){GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1, 0};
            event = serve(&machine, gdbstub_stopped(&machine.stub, &stop));
        }
        if (event == GDBSTUB_DETACH)
            let_all_run(&machine);
        resumed = true;
    }
}
