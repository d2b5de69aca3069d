/*
 * one_breakpoint.h - one breakpoint at 0x1000, its conditions and commands in short words, and the
 * machine's trap handler.  After <cmocka.h>.
 */
#ifndef TESTS_HOST_ONE_BREAKPOINT_H
#define TESTS_HOST_ONE_BREAKPOINT_H

#include <stdio.h>

#include "one_client.h"

#define TRUE   "X3,220127"
#define FALSE  "X3,220027"
/* rax */
#define IF_RAX "X4,26000027"
/* 1 / rax */
#define ONE_BY_RAX                                                                                 \
    "X7,220126000006"                                                                              \
    "27"
/* printf "hit\n" */
#define PRINT                                                                                      \
    "Xf,2200220034000006"                                                                          \
    "6869745c6e0027"
/* printf "%d\n" of what is at 0 */
#define PRINT_NULL                                                                                 \
    "Xf,22001a2200220034010003256400"                                                              \
    "27"

static inline void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1000);
    fake_set(&machine, 2, FAKE_RIP, 0x3000);
    fake_attach(&machine);
}

static inline void plant(const char *lists)
{
    char text[256];

    snprintf(text, sizeof(text), "Z0,1000,1%s", lists);
    assert_string_equal(ask(text), "OK");
}

static inline void prepare_running(const char *lists, const char *order)
{
    prepare();
    plant(lists);
    assert_int_equal(request(order), GDBSTUB_RESUME);
    expect_silence();
}

static inline struct gdbstub_stop stop_of(enum gdbstub_cause cause, enum gdbstub_signal signal)
{
    return (struct gdbstub_stop){.cause = cause, .signal = signal, .thread = 1};
}

/* The machine's trap handler: the filter first, then all stops. */
static inline enum gdbstub_event trap(enum gdbstub_cause cause, enum gdbstub_signal signal)
{
    struct gdbstub_stop stop = stop_of(cause, signal);
    enum gdbstub_event event = gdbstub_filter(&machine.stub, &stop);

    return event == GDBSTUB_BREAK_IN ? gdbstub_stopped(&machine.stub, &stop) : event;
}

static inline enum gdbstub_event hit(void)
{
    return trap(GDBSTUB_CAUSE_SW_BREAK, GDBSTUB_SIGTRAP);
}

static inline enum gdbstub_event stepped(uint64_t pc)
{
    fake_set(&machine, 1, FAKE_RIP, pc);
    return trap(GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP);
}

static inline void expect_orders(const char *letters)
{
    static const char names[] = "hsr";
    char got[] = {names[machine.resume[1].action], names[machine.resume[2].action], '\0'};

    assert_string_equal(got, letters);
}

static inline bool is_planted(void)
{
    return *fake_byte(&machine, 0x1000) == 0xcc;
}

#endif
