/*
 * test_gdbstub_packets.c - each packet's reply, one row each, from the same state of one machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "fake_client.h"

#define ZEROS_8   "00000000"
#define ZEROS_16  ZEROS_8 ZEROS_8
#define ZEROS_64  ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16
#define ZEROS_128 ZEROS_64 ZEROS_64

#define OFFERED                                                                                    \
    "PacketSize=1000;QStartNoAckMode+;swbreak+;vContSupported+;qSearch:memory+"                    \
    ";ConditionalBreakpoints+;BreakpointCommands+"                                                 \
    ";qXfer:features:read+;qXfer:threads:read+;qXfer:memory-map:read+;qXfer:exec-file:read+"       \
    ";qXfer:osdata:read+"
#define OFFERED_TO_GDB ";binary-upload+;fork-events+;vfork-events+;exec-events+"

struct row {
    const char *request;
    const char *reply;
};

/* Thread 1 has stopped at 0x1000 by SIGTRAP, with rsp at 0x8000; 0x1000 to 0x1fff hold 0, 1, 2...;
 * pages 0 and 2 are absent, 5 is read-only, 6 is refused to breakpoints; cs is constant. */
static const struct row rows[] = {
#include "no_replies.def"
#include "packet_replies.def"
#include "query_replies.def"
};

enum {
    ROWS = sizeof(rows) / sizeof(rows[0]),
};

static void prepare(struct fake_machine *machine)
{
    fake_init(machine);
    for (unsigned i = 0; i < FAKE_PAGE; i++)
        machine->memory[FAKE_PAGE + i] = (uint8_t)i;
    memset(machine->memory + FAKE_MEMORY, 0xa5, FAKE_PAGE);
    machine->absent[2] = true;
    machine->read_only[5] = true;
    machine->refused_from = 0x6000;
    machine->refused_to = 0x7000;
    machine->constant[FAKE_CS] = true;
    fake_set(machine, 1, FAKE_RIP, 0x1000);
    fake_set(machine, 1, FAKE_RSP, 0x8000);
    fake_set(machine, 1, FAKE_CS, 0x10);
    fake_attach(machine);
}

static void each_packet_gets_its_reply(void **state)
{
    static struct fake_machine machine;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        prepare(&machine);
        const char *reply = fake_exchange(&machine, rows[i].request);
        if (strcmp(reply, rows[i].reply) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", rows[i].request, rows[i].reply, reply);
    }
}

/* A second time, with acknowledgements. */
static void each_packet_is_acknowledged(void **state)
{
    static struct fake_machine machine;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        prepare(&machine);
        machine.stub.no_ack = false;
        machine.output_length = machine.output_taken = 0;
        const char *reply = fake_exchange(&machine, rows[i].request);
        if (machine.output_length == 0 || machine.output[0] != '+')
            fail_msg("%s: not acknowledged", rows[i].request);
        if (strcmp(reply, rows[i].reply) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", rows[i].request, rows[i].reply, reply);
    }
}

/* A request that resumes or kills has no reply; every other has one, and it is a proper packet, or
 * fake_exchange() says what is wrong with it. */
static void each_truncated_packet_gets_one_reply(void **state)
{
    static struct fake_machine machine;
    char request[128];

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t len = 0; len < strlen(rows[i].request); len++) {
            snprintf(request, sizeof(request), "%.*s", (int)len, rows[i].request);
            prepare(&machine);
            const char *reply = fake_exchange(&machine, request);
            bool gone = machine.stub.running || !machine.stub.attached;
            if (strcmp(reply, "(none)") == 0 && !gone)
                fail_msg("%s: no reply", request);
        }
    }
}

static bool is_tested(const char *name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strncmp(rows[i].request, name, strlen(name)) == 0)
            return true;
    }
    return false;
}

static void each_row_of_the_packet_table_is_tested(void **state)
{
    static const char *const names[] = {
#define PACKET(name, form, handler, when) name,
#include "gdbstub/packets.def"
#undef PACKET
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!is_tested(names[i]))
            fail_msg("%s has no row here", names[i]);
    }
}

/* The order of the rows does not matter: a name never goes on where another may end. */
static void no_request_is_for_two_rows(void **state)
{
    static const char *const names[] = {
#define PACKET(name, form, handler, when) name,
#include "gdbstub/packets.def"
#undef PACKET
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            size_t len = strlen(names[i]);
            if (i == k || strncmp(names[k], names[i], len) != 0)
                continue;
            if (len == 1 || strchr(":;,", names[k][len]) != NULL)
                fail_msg("%s and %s overlap", names[i], names[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_packet_gets_its_reply),
        cmocka_unit_test(each_packet_is_acknowledged),
        cmocka_unit_test(each_truncated_packet_gets_one_reply),
        cmocka_unit_test(each_row_of_the_packet_table_is_tested),
        cmocka_unit_test(no_request_is_for_two_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
