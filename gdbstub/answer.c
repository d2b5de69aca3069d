/*
 * answer.c - the one place where a verdict becomes a reply to GDB and an event for the port.
 *
 * Error numbers are those of errno, in decimal digits as other stubs write them.  GDB 13.1 takes
 * "E.text" as an error from any packet but qRcmd; it is sent where people learn something from it,
 * and for every error to clients that ask for it.
 */
#include "internal.h"

struct answer {
    const char *reply;   /* a format for gdbstub.refusal; NULL: none, or the one that is written */
    const char *message; /* instead, for clients that take E.text for every error */
    enum gdbstub_event event;
};

static const struct answer answers[] = {
    [VERDICT_REPLY] = {NULL, NULL, GDBSTUB_WAIT},
    [VERDICT_OK] = {"OK", NULL, GDBSTUB_WAIT},
    [VERDICT_UNKNOWN] = {"", NULL, GDBSTUB_WAIT},
    [VERDICT_NO_OBJECT] = {"E00", NULL, GDBSTUB_WAIT},
    [VERDICT_MALFORMED] = {"E01", "malformed packet", GDBSTUB_WAIT},
    [VERDICT_NO_THREAD] = {"E03", "no such thread", GDBSTUB_WAIT},
    [VERDICT_TOO_LONG] = {"E07", "too long for a packet", GDBSTUB_WAIT},
    [VERDICT_READ_ONLY] = {"E13", "the register cannot be written", GDBSTUB_WAIT},
    [VERDICT_NO_ACCESS] = {"E14", "the memory cannot be reached", GDBSTUB_WAIT},
    [VERDICT_INVALID] = {"E22", "invalid argument", GDBSTUB_WAIT},
    [VERDICT_NO_SPACE] = {"E28", "all of them are in use", GDBSTUB_WAIT},
    [VERDICT_REFUSED] = {"E.%m", NULL, GDBSTUB_WAIT},
    [VERDICT_RESUME] = {NULL, NULL, GDBSTUB_RESUME},
    [VERDICT_DETACH] = {"OK", NULL, GDBSTUB_DETACH},
    [VERDICT_KILL] = {NULL, NULL, GDBSTUB_KILL},
    [VERDICT_KILL_OK] = {"OK", NULL, GDBSTUB_KILL},
    [VERDICT_RESTART] = {NULL, NULL, GDBSTUB_RESTART},
};

enum verdict stub_refuse(struct gdbstub *stub, const char *reason)
{
    stub->refusal = reason;
    return VERDICT_REFUSED;
}

static void write_answer(struct gdbstub *stub, const struct answer *answer)
{
    stub_begin_reply(stub);
    if (answer->message != NULL && stub->client & CLIENT_ERROR_MESSAGE)
        stub_put(stub, "E.%s", answer->message);
    else
        stub_put(stub, answer->reply, stub->refusal);
}

enum gdbstub_event stub_answer(struct gdbstub *stub, enum verdict verdict)
{
    if (verdict == VERDICT_REPLY && stub->reply_overflow)
        verdict = VERDICT_TOO_LONG;
    const struct answer *answer = &answers[verdict];
    if (answer->reply != NULL)
        write_answer(stub, answer);
    if (answer->reply != NULL || verdict == VERDICT_REPLY)
        stub_send_reply(stub);
    return answer->event;
}
