/*
 * internal.h - what the files of the stub share.  Not for ports.
 *
 * A request is bytes -> frame -> row of the packet table -> verdict -> one answer.  A handler finds
 * its arguments taken as its row says, or takes them with the stub_take functions, writes its reply
 * with the stub_put functions, and returns a verdict; it never writes "OK" or an error itself.
 * Names that the linker sees begin with stub_ (inside) or gdbstub_ (for ports).
 */
#ifndef GDBSTUB_INTERNAL_H
#define GDBSTUB_INTERNAL_H

#include "gdbstub.h"
#include "spelling.h"

/* The kernel's.  The compiler, which is told that there is no library, knows them all the same, and
 * makes moves of short ones. */
void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
#define memcpy(to, from, len)  __builtin_memcpy(to, from, len)
#define memset(to, value, len) __builtin_memset(to, value, len)
#define memcmp(a, b, len)      __builtin_memcmp(a, b, len)

/* What GDB announced in qSupported; bits of gdbstub.client. */
enum client_feature {
    CLIENT_MULTIPROCESS = 1 << 0,  /* thread ids are written pPID.TID */
    CLIENT_SWBREAK = 1 << 1,       /* knows swbreak: in stop replies */
    CLIENT_HWBREAK = 1 << 2,       /* knows hwbreak: */
    CLIENT_ERROR_MESSAGE = 1 << 3, /* takes E.text for every error */
    CLIENT_GDB = 1 << 4,           /* is a GDB: wants `x` marked with a 'b', knows XML's defaults */
    CLIENT_THREAD_SUFFIX = 1 << 5, /* LLDB: ";thread:ID;" behind g G p P */
    CLIENT_THREADS_IN_STOP = 1 << 6, /* LLDB: the list of threads with each stop */
};

/* There is one process, the machine. */
enum stub_process {
    STUB_PROCESS_ID = 1,
};

/* The thread of a port that has no list of them. */
enum stub_thread {
    STUB_ONLY_THREAD = 1,
};

/* In gdbstub_order.thread and gdbstub.resume; "-1" on the wire. */
#define STUB_ALL_THREADS UINT64_MAX

/* How a request ended.  answer.c turns it into a reply and an event. */
enum verdict {
    VERDICT_REPLY,     /* the reply is written */
    VERDICT_OK,        /* done */
    VERDICT_UNKNOWN,   /* not a packet of this stub: the empty reply */
    VERDICT_MALFORMED, /* the packet's own syntax is broken */
    VERDICT_NO_THREAD, /* there is no such thread (any more) */
    VERDICT_NO_OBJECT, /* qXfer: there is no such annex */
    VERDICT_TOO_LONG,  /* the request, or its reply, does not fit a packet */
    VERDICT_READ_ONLY, /* a register that cannot be written */
    VERDICT_NO_ACCESS, /* memory that cannot be reached */
    VERDICT_INVALID,   /* well formed, but it makes no sense */
    VERDICT_NO_SPACE,  /* all of a limited kind are in use */
    VERDICT_REFUSED,   /* gdbstub.refusal says why */
    VERDICT_RESUME,    /* leave the trap; the stop reply comes later */
    VERDICT_DETACH,    /* OK, and the session is over */
    VERDICT_KILL,      /* no reply: the machine goes */
    VERDICT_KILL_OK,   /* OK, then the machine goes */
    VERDICT_RESTART,   /* the machine begins anew; the stop reply comes from there */
};

/* framing.c: bytes from the wire into requests. */
enum {
    STUB_INTERRUPT = 0x03, /* ^C */
};

enum frame {
    FRAME_NONE,      /* noise, or a part of something */
    FRAME_ACK,       /* '+' */
    FRAME_NAK,       /* '-' */
    FRAME_INTERRUPT, /* ^C, outside every packet */
    FRAME_LINE_END,  /* CR or LF, outside every packet */
    FRAME_DAMAGED,   /* a packet whose checksum is wrong */
    FRAME_REQUEST,   /* a packet; in `in`, unless it is oversize */
};

enum frame stub_receive_frame(struct gdbstub *stub, uint8_t byte);

/* packets.c: the request in `in`. */
enum packet_when {
    WHEN_ALWAYS = 0,
    WHEN_MONITOR = 1 << 0, /* only if the port has that member */
    WHEN_OPENING =
        1 << 1,         /* a new client's first: it knows nothing of what the last one agreed on */
    WHEN_OWED = 1 << 2, /* its reply is the stop reply that GDB may be waiting for */
    WHEN_RESTART = 1 << 3, /* only if the port says so, as the rest of these */
    WHEN_OBJECTS = 1 << 4,
    WHEN_SYSCALLS = 1 << 5,
    WHEN_REGION = 1 << 6,
    WHEN_TRIPLE = 1 << 7,
    WHEN_SUFFIX = 1 << 8, /* LLDB may say at its end which thread it is about */
    WHEN_THREAD = 1 << 9, /* the thread that it is about exists */
};

/* Has the port what the packet needs? */
bool stub_port_has(const struct gdbstub *stub, unsigned when);

/* The enum packet_when bits of the request; 0 if it is not a packet of this stub. */
unsigned stub_request_when(const struct gdbstub *stub);
enum verdict stub_dispatch(struct gdbstub *stub);

/* answer.c */

/* Set the reason, and return VERDICT_REFUSED. */
enum verdict stub_refuse(struct gdbstub *stub, const char *reason);
/* The one place that answers a request. */
enum gdbstub_event stub_answer(struct gdbstub *stub, enum verdict verdict);

/* stop.c */

/* Write the stop reply for the current stop. */
void stub_put_stop(struct gdbstub *stub);

/* registers.c */

/* What a register or memory holds, in the target's order, as an integer of 1, 2, 4 or 8 bytes. */
union stub_value {
    uint8_t bytes[GDBSTUB_REGISTER_BYTES];
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
};

static inline uint64_t stub_integer(const union stub_value *value, size_t len)
{
    if (len == sizeof(value->eight))
        return value->eight;
    if (len == sizeof(value->four))
        return value->four;
    return len == sizeof(value->two) ? value->two : value->one;
}

/* Read or write a thread's program counter.  False if it cannot be done. */
bool stub_read_pc(const struct gdbstub *stub, gdbstub_thread thread, uint64_t *pc);
bool stub_write_pc(const struct gdbstub *stub, gdbstub_thread thread, uint64_t pc);

/* breakpoints.c */

/* Can a breakpoint be in [addr, addr + len)?  Most reads are of data, far from any of them. */
static inline bool stub_may_hide(const struct gdbstub *stub, uint64_t addr, size_t len)
{
    uint64_t first = stub->first_breakpoint, last = stub->last_breakpoint;

    return addr - first <= last - first || first - addr < len;
}

/* Undo the effect of planted breakpoints on what was read from `addr`. */
void stub_hide_breakpoints(const struct gdbstub *stub, uint64_t addr, void *bytes, size_t len);
/* Write memory, leaving planted breakpoints in place; `data` is changed.  False if some of it
 * cannot be reached. */
bool stub_write_memory(struct gdbstub *stub, uint64_t addr, uint8_t *data, size_t len);
enum verdict stub_plant_breakpoint(struct gdbstub *stub, uint64_t addr, uint64_t len);
enum verdict stub_remove_breakpoint(struct gdbstub *stub, uint64_t addr);
/* The program's bytes under the breakpoint that is planted at `addr`; NULL: there is none. */
const uint8_t *stub_bytes_under(const struct gdbstub *stub, uint64_t addr);
/* Take a breakpoint out of memory for a moment, and put it back; the table keeps it.  False if
 * it is not there. */
bool stub_lift_breakpoint(struct gdbstub *stub, uint64_t addr);
void stub_lower_breakpoint(struct gdbstub *stub, uint64_t addr);

/* points.c */

/* Remove every hardware point and every software breakpoint; or leave those whose commands are to
 * be run without a GDB. */
void stub_remove_everything(struct gdbstub *stub);
void stub_remove_session(struct gdbstub *stub);
/* hardware.c */

#if GDBSTUB_WITH_POINTS
/* TYPE,ADDRESS,KIND of a Z or z packet. */
enum verdict stub_insert_point(struct gdbstub *stub, const uint64_t value[3]);
enum verdict stub_remove_point(struct gdbstub *stub, const uint64_t value[3]);
/* All, or without those whose commands are to be run without a GDB. */
void stub_remove_points(struct gdbstub *stub, bool persistent);
/* Is an execute point inserted at `addr`? */
bool stub_has_execute_point(const struct gdbstub *stub, uint64_t addr);
#else
static inline enum verdict stub_insert_point(struct gdbstub *stub, const uint64_t value[3])
{
    (void)stub, (void)value;
    return VERDICT_UNKNOWN;
}

static inline enum verdict stub_remove_point(struct gdbstub *stub, const uint64_t value[3])
{
    (void)stub, (void)value;
    return VERDICT_UNKNOWN;
}

static inline void stub_remove_points(struct gdbstub *stub, bool persistent)
{
    (void)stub, (void)persistent;
}

static inline bool stub_has_execute_point(const struct gdbstub *stub, uint64_t addr)
{
    (void)stub, (void)addr;
    return false;
}
#endif

/* agents.c: conditions and commands of the breakpoint of a Z packet's type at an address. */

#if GDBSTUB_WITH_FILTER
/* Take and verify those of a Z packet, up to its end.  They are pending until they are kept. */
enum verdict stub_take_agents(struct gdbstub *stub, struct request *request, uint64_t type,
                              uint64_t addr);
/* The breakpoint is planted: what is pending, if anything, takes the place of what it had. */
void stub_keep_agents(struct gdbstub *stub, uint64_t type, uint64_t addr);
void stub_remove_agents(struct gdbstub *stub, uint64_t type, uint64_t addr);
/* Are there commands that are to be run without a GDB, too? */
bool stub_persists(const struct gdbstub *stub, uint64_t type, uint64_t addr);
#else
static inline enum verdict stub_take_agents(struct gdbstub *stub, struct request *request,
                                            uint64_t type, uint64_t addr)
{
    (void)stub, (void)type, (void)addr;
    return stub_at_end(&request->args) ? VERDICT_OK : VERDICT_MALFORMED;
}

static inline void stub_keep_agents(struct gdbstub *stub, uint64_t type, uint64_t addr)
{
    (void)stub, (void)type, (void)addr;
}

static inline void stub_remove_agents(struct gdbstub *stub, uint64_t type, uint64_t addr)
{
    (void)stub, (void)type, (void)addr;
}

static inline bool stub_persists(const struct gdbstub *stub, uint64_t type, uint64_t addr)
{
    (void)stub, (void)type, (void)addr;
    return false;
}
#endif

enum stub_hit {
    STUB_HIT_STOPS,  /* a condition is true or fails, or there is nothing to ask */
    STUB_HIT_PASSES, /* the conditions are false, or the commands were run */
    STUB_HIT_FAILS,  /* a command fails */
};

/* The breakpoint was hit: ask its conditions and run its commands.  Tells people of a failure. */
enum stub_hit stub_judge_hit(struct gdbstub *stub, gdbstub_thread thread, uint64_t type,
                             uint64_t addr);

/* Has it conditions, and are they all false?  Changes nothing; `ctx` is for the port. */
bool stub_passes_by(const struct gdbstub *stub, void *ctx, gdbstub_thread thread, uint64_t type,
                    uint64_t addr);

/* filter.c */

/* Is the current stop one that GDB need not hear of?  Then the threads have been told what to do,
 * and the machine is to resume.  `lift`: what stub_end_lift() has said of it. */
enum stub_lift {
    STUB_LIFT_NONE,   /* no breakpoint was lifted */
    STUB_LIFT_OVER,   /* the stop is the end of the step for which one was */
    STUB_LIFT_BROKEN, /* something else has happened before that */
};

#if GDBSTUB_WITH_FILTER
bool stub_passes_over(struct gdbstub *stub, enum stub_lift lift);
/* A stop has come: put back the breakpoint that is lifted for a step, if one is. */
enum stub_lift stub_end_lift(struct gdbstub *stub, const struct gdbstub_stop *stop);
#else
static inline bool stub_passes_over(struct gdbstub *stub, enum stub_lift lift)
{
    (void)stub, (void)lift;
    return false;
}

static inline enum stub_lift stub_end_lift(struct gdbstub *stub, const struct gdbstub_stop *stop)
{
    (void)stub, (void)stop;
    return STUB_LIFT_NONE;
}
#endif

/* resume.c */

/* The order that holds for a thread, or NULL. */
const struct gdbstub_order *stub_order_for(const struct gdbstub *stub, gdbstub_thread thread);
/* Nobody orders anything: all run. */
void stub_let_run(struct gdbstub *stub);
/* Pass the orders to the port: for every thread, or for that one.  NULL, or why it refused one. */
const char *stub_give_orders(struct gdbstub *stub, gdbstub_thread only);

/* threads.c */

#if GDBSTUB_WITH_THREADS
/* The port's next_thread() and thread_info(), if it has them; else there is one thread. */
gdbstub_thread stub_next_thread(const struct gdbstub *stub, gdbstub_thread thread);
bool stub_thread_info(const struct gdbstub *stub, gdbstub_thread thread,
                      struct gdbstub_thread_info *info);
bool stub_thread_exists(const struct gdbstub *stub, gdbstub_thread thread);
#else
static inline gdbstub_thread stub_next_thread(const struct gdbstub *stub, gdbstub_thread thread)
{
    (void)stub;
    return thread == GDBSTUB_NO_THREAD ? STUB_ONLY_THREAD : GDBSTUB_NO_THREAD;
}

static inline bool stub_thread_exists(const struct gdbstub *stub, gdbstub_thread thread)
{
    (void)stub, (void)thread;
    return true;
}
#endif

/* memory.c */

/* Cut a range off at the end of the address space. */
uint64_t stub_clip_range(uint64_t addr, uint64_t len);
/* Read through the selected thread, and show the program's own bytes where breakpoints are. */
size_t stub_read_memory(const struct gdbstub *stub, uint64_t addr, void *data, size_t len);

/* xfer.c: the part of a qXfer object that GDB asked for; the rest of it is counted, not kept. */
struct window {
    struct gdbstub *stub;
    uint64_t skip; /* bytes of the object before the window */
    uint64_t room; /* bytes of the window still to be filled */
    bool more;     /* the object goes on behind the window */
};

void stub_window_put(struct window *window, const char *format, ...);
/* ` NAME="VALUE"`, if there is a value */
void stub_window_attribute(struct window *window, const char *name, const char *value);
/* Say in a qSupported reply which objects there are. */
#if GDBSTUB_WITH_OBJECTS
void stub_put_objects(struct gdbstub *stub);
#else
static inline void stub_put_objects(struct gdbstub *stub)
{
    (void)stub;
}
#endif

/* description.c */

/* Write the target description.  False if `annex` is not its name. */
bool stub_describe_target(struct window *window, struct args annex);

/* thread_list.c, memory_map.c: the same for theirs, which have no names */
bool stub_describe_threads(struct window *window, struct args annex);
bool stub_describe_memory(struct window *window, struct args annex);

/* lldb.c */

#if GDBSTUB_WITH_LLDB
/* Take ";thread:ID;" off the end of the arguments, if it is there, and select that thread. */
enum verdict stub_take_suffix(struct gdbstub *stub, struct args *args);
/* For a stop reply: all threads, if the client wants them and they fit. */
void stub_put_threads(struct gdbstub *stub);
#else
static inline enum verdict stub_take_suffix(struct gdbstub *stub, struct args *args)
{
    (void)stub, (void)args;
    return VERDICT_OK;
}

static inline void stub_put_threads(struct gdbstub *stub)
{
    (void)stub;
}
#endif

/* files.c: objects of the port */

/* The object with that kind and name ("file/", "core"), or NULL. */
const struct gdbstub_object *stub_find_object(const struct gdbstub *stub, const char *kind,
                                              struct args name);
/* Put a piece of it into the reply, at most `len` bytes; returns how many went in. */
uint64_t stub_put_object(struct gdbstub *stub, const struct gdbstub_object *object, uint64_t offset,
                         uint64_t len, bool *more);

/* The handlers, one for each row of packets.def. */
#define PACKET(name, form, handler, when)                                                          \
    enum verdict stub_handle_##handler(struct gdbstub *stub, struct request *request);
#include "packets.def"
#undef PACKET

#endif
