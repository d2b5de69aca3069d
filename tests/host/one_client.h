/*
 * one_client.h - one fake machine and GDB's end of its wire, in short words: for a program that
 * tests the stub.  After <cmocka.h>.
 */
#ifndef TESTS_HOST_ONE_CLIENT_H
#define TESTS_HOST_ONE_CLIENT_H

#include <string.h>

#include "fake_client.h"

static struct fake_machine machine;

/* A test's set-up: the stub of a new machine has a client. */
static inline int attach(void **state)
{
    (void)state;
    fake_init(&machine);
    fake_attach(&machine);
    return 0;
}

static inline const char *ask(const char *request)
{
    return fake_exchange(&machine, request);
}

static inline void expect(const char *request, const char *reply)
{
    const char *got = ask(request);

    if (strcmp(got, reply) != 0)
        fail_msg("%s: expected \"%s\", got \"%s\"", request, reply, got);
}

static inline enum gdbstub_event request(const char *text)
{
    return fake_request(&machine, text, strlen(text));
}

/* The next packet from the stub, or "(none)". */
static inline const char *hear(void)
{
    return fake_take_packet(&machine, NULL) < 0 ? "(none)" : machine.reply;
}

static inline void expect_silence(void)
{
    assert_string_equal(hear(), "(none)");
}

static inline enum gdbstub_event step_trap(gdbstub_thread thread)
{
    return fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, thread);
}

static inline void expect_stop(const char *start, const char *thread)
{
    const char *reply = hear();

    if (strncmp(reply, start, strlen(start)) != 0 || strstr(reply, thread) == NULL)
        fail_msg("expected %s...%s, got \"%s\"", start, thread, reply);
    expect_silence();
}

#endif
