/*
 * debugger_line.c - whose turn it is on GDB's line, when the console is there, too.
 *
 * Who writes has the machine for that moment: so a stop comes between two lines of text, and no
 * packet comes in the middle of one.  Text goes out at once, in `O` packets if a GDB waits for a
 * stop, else as it is.  Where it must not, because GDB waits for a reply or this CPU is in the
 * middle of a line, it is kept for whoever has the line next.
 */
#include "debugger_line.h"

#include <stdatomic.h>

#include "debugger_session.h"
#include "stop.h"
#include "string.h"

enum debugger_line_limits {
    PACKET_BYTES = GDBSTUB_PACKET_SIZE + 4,
    TEXT_BYTES = 512,  /* in one packet */
    KEPT_BYTES = 4096, /* what is more is lost */
    PATIENCE_US = 100000,
};

/* What has been claimed of line.kept is in the upper half of its lengths, what is written in the
 * lower. */
#define KEPT_CLAIMED ((uint64_t)1 << 32)

static struct {
    uint8_t rest[PACKET_BYTES]; /* of a packet */
    size_t rest_length;
    bool dropped; /* a packet was */

    char text[TEXT_BYTES + 1];

    char kept[KEPT_BYTES];
    _Atomic uint64_t kept_lengths; /* KEPT_CLAIMED: with what is being written there */

    void (*print)(void *to, const char *text); /* of a monitor command */
    void *to;
} line;

/* ---- Bytes: the caller has the machine ---- */

bool debugger_line_send_rest(void)
{
    size_t sent = arch_line_write(debugger.machine.line, line.rest, line.rest_length);

    line.rest_length -= sent;
    memmove(line.rest, line.rest + sent, line.rest_length);
    return line.rest_length == 0;
}

void debugger_line_send(const void *packet, size_t len)
{
    line.dropped = !debugger_line_send_rest();
    if (line.dropped)
        return;
    size_t sent = arch_line_write(debugger.machine.line, packet, len);
    line.rest_length = len - sent;
    memcpy(line.rest, (const uint8_t *)packet + sent, line.rest_length);
}

/* ---- Text: the caller has the machine ---- */

/* GDB has line ends of its own: without the CR of a CR LF. */
static size_t copy_for_gdb(const char *text, size_t len)
{
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
            line.text[used++] = text[i];
    }
    line.text[used] = '\0';
    return used;
}

static bool send_text(const char *text, size_t len)
{
    line.dropped = false;
    if (gdbstub_attached(&debugger.stub) &&
        gdbstub_print(&debugger.stub, line.text, copy_for_gdb(text, len)))
        return !line.dropped;
    return debugger_line_send_rest() && arch_line_write(debugger.machine.line, text, len) == len;
}

static bool keep(const char *text, size_t len)
{
    size_t at = atomic_fetch_add(&line.kept_lengths, KEPT_CLAIMED * len) / KEPT_CLAIMED;
    size_t room = at < KEPT_BYTES ? KEPT_BYTES - at : 0;

    memcpy(line.kept + (room > 0 ? at : 0), text, len < room ? len : room);
    atomic_fetch_add(&line.kept_lengths, len);
    return len <= room;
}

/* While another CPU is writing there, all stays where it is: that CPU may stand still. */
void debugger_line_send_kept(void)
{
    uint64_t lengths = atomic_load(&line.kept_lengths);
    size_t sent = 0, end = lengths % KEPT_CLAIMED;

    while (lengths > 0 && lengths / KEPT_CLAIMED == end) {
        while (sent < end && sent < KEPT_BYTES) {
            size_t left = (end < KEPT_BYTES ? end : KEPT_BYTES) - sent;
            size_t part = left < TEXT_BYTES ? left : TEXT_BYTES;

            (void)send_text(line.kept + sent, part);
            sent += part;
        }
        if (atomic_compare_exchange_strong(&line.kept_lengths, &lengths, 0))
            return;
        end = lengths % KEPT_CLAIMED;
    }
}

void debugger_line_lend(void (*print)(void *to, const char *text), void *to)
{
    line.print = print;
    line.to = to;
}

/* This CPU has the machine for the stub. */
static bool print_inside(const char *text, size_t len)
{
    if (line.print == NULL)
        return keep(text, len);
    (void)copy_for_gdb(text, len);
    line.print(line.to, line.text);
    return true;
}

/* ---- Whose turn it is ---- */

bool debugger_line_has_gdb(void)
{
    return debugger.shared && gdbstub_attached(&debugger.stub);
}

/* Not waited for by a CPU that has the machine already; nor for long by one that is to stand still:
 * it does not if it is in an NMI. */
static bool take_line(void)
{
    struct arch_wait wait = arch_wait_for(PATIENCE_US);

    while (!stop_borrow()) {
        if (stop_has() || !arch_wait_on(&wait))
            return false;
        if (!stop_is_asked(arch_cpu_id()))
            wait = arch_wait_for(PATIENCE_US);
    }
    return true;
}

/* Bytes that have come meanwhile break in now. */
static void give_line_back(struct side *side)
{
    side->writes = false;
    if (side->bytes_left) {
        side->bytes_left = false;
        (void)arch_line_break_in(debugger.machine.line, true, arch_cpu_id());
    }
    stop_return();
}

static bool print_in_turn(struct side *side, const char *text, size_t len)
{
    bool done;

    side->writes = true;
    if (!take_line()) {
        side->writes = false;
        return keep(text, len);
    }
    debugger_line_send_kept();
    done = send_text(text, len);
    debugger_line_send_kept();
    give_line_back(side);
    return done;
}

static bool print_part(const char *text, size_t len)
{
    struct side *side = session_side();

    if (debugger.holder == arch_cpu_id() + 1)
        return debugger.muted && line.print == NULL ? send_text(text, len)
                                                    : print_inside(text, len);
    return side->writes ? keep(text, len) : print_in_turn(side, text, len);
}

bool debugger_line_print(const void *text, size_t len)
{
    const char *from = text;
    bool interrupts = arch_interrupts_disable(), done = true;

    while (len > 0 && done) {
        size_t part = len < TEXT_BYTES ? len : TEXT_BYTES;

        done = print_part(from, part);
        from += part;
        len -= part;
    }
    if (interrupts)
        arch_interrupts_enable();
    return done;
}

/* GDB takes a packet that ends too early as far as it goes; what is outside of one it skips. */
void debugger_line_take(void)
{
    if (debugger.shared && session_side()->writes && gdbstub_attached(&debugger.stub))
        (void)arch_line_write(debugger.machine.line, "#00", 3);
    debugger_line_send_kept();
}
