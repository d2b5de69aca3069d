/*
 * gdbstub.h - a GDB remote-protocol stub for kernels: the session, and the port it asks for.
 *
 * Freestanding C11.  Knows no processor, no kernel and no wire: everything comes through one
 * const struct of functions and data, the port.  Allocates nothing, locks nothing, never waits:
 * bytes are pushed in one at a time, and the answer says what the caller must do.
 *
 *     trap -> gdbstub_stopped() -> { byte -> gdbstub_receive() } until it says RESUME -> return
 *
 * README.md ports it in five steps.
 */
#ifndef GDBSTUB_GDBSTUB_H
#define GDBSTUB_GDBSTUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "port.h"

/* What the caller must do next. */
enum gdbstub_event {
    GDBSTUB_WAIT,     /* nothing: push the next byte */
    GDBSTUB_BREAK_IN, /* the machine runs and GDB wants it stopped: stop it, then call
                         gdbstub_stopped(); a request already received is answered there */
    GDBSTUB_RESUME,   /* the port knows what each thread is to do: leave the trap */
    GDBSTUB_DETACH,   /* leave the trap, let every thread run; breakpoints that print for good may
                         still be planted, so go on asking gdbstub_filter() */
    GDBSTUB_KILL,     /* GDB wants the machine gone: reset it or leave the emulator */
    GDBSTUB_RESTART,  /* GDB wants it from its beginning: keep gdbstub_save(), and reset it */
};

/* What a session has seen so far; for people. */
struct gdbstub_statistics {
    uint64_t requests, replies;
    uint64_t bytes_received, bytes_sent;
    uint64_t stops;     /* without the steps of ranges */
    uint64_t damaged;   /* requests with a wrong checksum */
    uint64_t abandoned; /* requests that ended in gdbstub_abandon() */
};

/* A software breakpoint that is planted.  Private. */
struct gdbstub_breakpoint {
    uint64_t address;
    gdbstub_thread thread; /* through whose view of memory it was planted */
    uint8_t original[GDBSTUB_BREAKPOINT_BYTES];
};

/* A hardware point that is inserted.  Private. */
struct gdbstub_hardware_point {
    enum gdbstub_point kind;
    uint64_t address;
    size_t length;
};

/* What GDB ordered one thread, or all, to do.  Private. */
struct gdbstub_order {
    gdbstub_thread thread; /* or STUB_ALL_THREADS */
    struct gdbstub_resume how;
    uint64_t range_start, range_end; /* vCont;r: step on while the pc is inside; empty: no range */
};

/* A session.  The caller owns the memory; the fields are private. */
struct gdbstub {
    const struct gdbstub_port *port;
    struct gdbstub_stop stop; /* the last one */

    bool attached;     /* GDB has spoken and has not detached */
    bool running;      /* the machine runs; when attached, GDB waits for a stop reply */
    bool interrupted;  /* ^C came while stopped: the next resume ends at once */
    bool request_held; /* a whole request broke in: gdbstub_stopped() answers it */
    bool answering;    /* a reply is being made: gdbstub_abandon() would send another instead */
    bool closing;      /* the exit was told: attached until GDB has acknowledged it */
    bool extended;     /* "!": killing it is not the end */
    bool created;      /* GDB has started this machine itself: it kills it when it quits */
    bool listed_once;  /* qXfer:threads has been read since the machine stopped */
    bool catches_all;  /* QCatchSyscalls without a list */
    unsigned client;   /* what GDB announced: enum client_feature of internal.h */

    bool no_ack;          /* QStartNoAckMode */
    unsigned opening;     /* the last request that opens a session: its length and checksum */
    unsigned openings;    /* how often it came, one after the other; 0: another came since */
    unsigned unacked;     /* packets sent that GDB has yet to acknowledge */
    unsigned repeats;     /* of the last one, which GDB has asked for */
    unsigned line_ends;   /* typed, one after the other */
    uint8_t framing;      /* enum framing of framing.c */
    uint8_t checksum;     /* of the request so far */
    uint8_t expected;     /* the checksum that the request claims */
    bool checksum_broken; /* it claims one that is not hex */
    bool oversize;        /* the request is longer than `in` */
    bool reply_overflow;  /* the reply is longer than `out` */

    gdbstub_thread general; /* Hg: registers and memory */
    gdbstub_thread resume;  /* Hc: c and s; or STUB_ALL_THREADS */
    gdbstub_thread listed;  /* the last that qfThreadInfo and qsThreadInfo told */
    const char *refusal;    /* why a request was refused, for people */

    struct gdbstub_statistics statistics;
    uint8_t caught[GDBSTUB_MAX_SYSCALLS / 8]; /* QCatchSyscalls: a bit for each number */

    struct gdbstub_order orders[GDBSTUB_MAX_ORDERS];
    size_t order_count;
    struct gdbstub_breakpoint breakpoints[GDBSTUB_MAX_BREAKPOINTS];
    size_t breakpoint_count;
    uint64_t first_breakpoint, last_breakpoint; /* no byte of one is outside of these */
    struct gdbstub_hardware_point points[GDBSTUB_MAX_POINTS];
    size_t point_count;

    uint8_t agents[GDBSTUB_AGENT_BYTES]; /* conditions and commands; see agents.c */
    size_t agents_used;
    size_t agents_pending; /* bytes behind those, of a request that may yet be refused */

    bool lifted; /* the breakpoint at lifted_address is out of memory for a step of lifted_thread */
    uint64_t lifted_address;
    gdbstub_thread lifted_thread;

    size_t in_length;
    size_t reply_length;                  /* of the reply being written at out + 1 */
    size_t frame_length;                  /* of the packet in `out`, to repeat it; 0: none */
    uint8_t in[GDBSTUB_PACKET_SIZE + 1];  /* the request; room for a NUL behind it */
    uint8_t out[GDBSTUB_PACKET_SIZE + 4]; /* '$', the reply, '#', checksum */
};

/* Start a session over `port`, which must outlive it.  Sends nothing until GDB speaks. */
void gdbstub_init(struct gdbstub *stub, const struct gdbstub_port *port);

/*
 * Optional, and what makes conditions, commands and ranges cheap: ask it first, of every trap while
 * the stub does not have control and gdbstub_concerned().  Nothing but stop->thread need have
 * stopped; calls are still one at a time.
 *
 *   RESUME    GDB need not hear of it.  set_resume() was told what stop->thread does; the others go
 *             on as they were.  Look for bytes before the next step, or ^C cannot end it.
 *   BREAK_IN  stop the machine, and give the same `stop` to gdbstub_stopped().
 *   WAIT      not the stub's: nobody is attached, and nothing of it is planted there.
 */
#if GDBSTUB_WITH_FILTER
enum gdbstub_event gdbstub_filter(struct gdbstub *stub, struct gdbstub_stop *stop);
#else
static inline enum gdbstub_event gdbstub_filter(struct gdbstub *stub, struct gdbstub_stop *stop)
{
    (void)stop;
    return stub->attached ? GDBSTUB_BREAK_IN : GDBSTUB_WAIT;
}
#endif

/*
 * Optional, and faster still: asked of the thread that this CPU runs, when it has hit a breakpoint,
 * with its pc AT it, and goes on at full speed otherwise.  True if its conditions are false, and
 * the port's execute() has done what the instruction does: leave the trap, nothing has happened.
 * Else nothing is changed: ask gdbstub_filter().
 *
 * Nothing need have stopped, and several CPUs may ask at the same time; the only time not to is
 * while the machine is stopped, since then what is planted may change.  `ctx` is given in place of
 * the port's own to read_register(), read_memory() and execute(), for that thread.
 */
bool gdbstub_passes(const struct gdbstub *stub, void *ctx, gdbstub_thread thread, uint64_t pc);

/* Does GDB have that thread step through a range (vCont;r), with no hardware points about?  Then a
 * step that ends inside of it may be followed by the next without asking; whatever stops the
 * machine ends that. */
bool gdbstub_steps_through(const struct gdbstub *stub, gdbstub_thread thread, uint64_t *start,
                           uint64_t *end);

/*
 * The machine has stopped, all of it.  Sends the stop reply if GDB waits for one.
 *
 * Returns RESUME at once, having sent nothing, when GDB need not hear of it: a step inside a range
 * that it asked for (vCont;r), a breakpoint whose conditions are false or that only prints, or the
 * step over such a one.  set_resume() was told what every thread does.  Then look for bytes before
 * the next step, or ^C cannot end it.  Otherwise WAIT, or what the request that broke in asks for.
 */
enum gdbstub_event gdbstub_stopped(struct gdbstub *stub, const struct gdbstub_stop *stop);

/*
 * Take one byte from GDB: any byte, at any time, machine stopped or running.
 *
 * While it runs, only ^C (when attached) and a complete request with a right checksum stop it:
 * noise does not.  After BREAK_IN for a request, leave further bytes on the line until the machine
 * has stopped: given to the stub they are dropped, and answered BREAK_IN again.
 */
enum gdbstub_event gdbstub_receive(struct gdbstub *stub, uint8_t byte);

/* Is a GDB there?  From its first request to its detach or kill. */
bool gdbstub_attached(const struct gdbstub *stub);

/* Can a trap be any business of the stub's?  If a GDB is there, or has left breakpoints that print
 * for good. */
bool gdbstub_concerned(const struct gdbstub *stub);

/* Is a software breakpoint planted at `addr`?  The trap handler asks with pc minus the
 * instruction's length. */
bool gdbstub_planted(const struct gdbstub *stub, uint64_t addr);

/* A breakpoint was hit where nobody can be told, in what the kernel does on the debugger's behalf
 * or after its last words: have it out of memory for good.  False if none is planted there. */
bool gdbstub_drop(struct gdbstub *stub, uint64_t addr);

/* Undo the effect of planted breakpoints on what was read from `addr`. */
void gdbstub_hide_breakpoints(const struct gdbstub *stub, uint64_t addr, uint8_t *data, size_t len);

/* The machine runs and has text for GDB's console (`O` packet).  False, with nothing sent, if
 * GDB is not waiting for a stop. */
bool gdbstub_print(struct gdbstub *stub, const char *text, size_t len);

/* The program is over: remove what is planted, tell GDB (`W`), if it waits, and forget it.  True if
 * it was told: feed bytes to gdbstub_receive() until gdbstub_attached() is false, for a bounded
 * time. */
bool gdbstub_exited(struct gdbstub *stub, uint8_t status);

/* The same for a program that a fault has ended (`X`). */
bool gdbstub_killed(struct gdbstub *stub, enum gdbstub_signal signal);

/* Does GDB want to hear of this system call?  Ask at its entry and at its return; if so, stop with
 * that CAUSE and the number. */
bool gdbstub_catches_syscall(const struct gdbstub *stub, uint64_t number);

/* Memory as GDB sees it through the thread that stopped: without planted breakpoints.  Returns how
 * many bytes were copied before the first that cannot be reached. */
size_t gdbstub_read_memory(const struct gdbstub *stub, uint64_t addr, void *buf, size_t len);

/* The thread that stopped last. */
gdbstub_thread gdbstub_stopped_thread(const struct gdbstub *stub);

struct gdbstub_statistics gdbstub_statistics(const struct gdbstub *stub);

/* The n-th point that GDB has inserted: its type as in the Z packets (0: software), address and
 * length.  False past the last. */
struct gdbstub_inserted {
    unsigned type;
    uint64_t address, length;
};
bool gdbstub_inserted_point(const struct gdbstub *stub, size_t n, struct gdbstub_inserted *point);

/* On GDBSTUB_RESTART: what the stub of the machine's next life must know, 0 if GDB does not wait
 * for it; and, there, after gdbstub_init(): go on with that session, so that the first
 * gdbstub_stopped() tells GDB. */
uint32_t gdbstub_save(const struct gdbstub *stub);
void gdbstub_restore(struct gdbstub *stub, uint32_t saved);

/* Something went wrong inside a port function or the stub while a request was answered, and the
 * caller has unwound out of it: answer `E.text` instead, and go on with the session. */
void gdbstub_abandon(struct gdbstub *stub, const char *text);

#endif
