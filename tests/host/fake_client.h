/*
 * fake_client.h - GDB's end of the wire to a fake machine: frames requests, takes replies apart by
 * its own means, and aborts the program, saying why, when the stub sends anything but proper
 * packets and acknowledgements.
 */
#ifndef TESTS_HOST_FAKE_CLIENT_H
#define TESTS_HOST_FAKE_CLIENT_H

#include "fake_port.h"

/* Push raw bytes into the stub; returns the last event that was not WAIT, or WAIT. */
enum gdbstub_event fake_receive(struct fake_machine *machine, const void *bytes, size_t len);
/* Frame a request and push it. */
enum gdbstub_event fake_request(struct fake_machine *machine, const void *data, size_t len);
/* The machine stops: a step, a breakpoint, ... of a thread.  What is watched is at 0x3000. */
enum gdbstub_event fake_stop(struct fake_machine *machine, enum gdbstub_cause cause,
                             enum gdbstub_signal signal, gdbstub_thread thread);

/* Take the next packet out of the output into machine->reply: run lengths expanded, escapes left
 * alone, NUL-terminated.  The '+' before it are counted in `acks`, which may be NULL.  Returns its
 * length, or -1 if there is none. */
long fake_take_packet(struct fake_machine *machine, int *acks);
/* Undo the escapes in place; returns the length. */
size_t fake_unescape(char *data, size_t len);

/* Send a request of text and acknowledge the reply.  Returns it (machine->reply), or "(none)"; more
 * than one aborts the program. */
const char *fake_exchange(struct fake_machine *machine, const char *request);
/* Stop thread 1 with SIGTRAP and attach a client that announces all there is, in no-ack mode. */
void fake_attach(struct fake_machine *machine);

#endif
