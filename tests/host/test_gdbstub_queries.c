/*
 * test_gdbstub_queries.c - what the stub says about the machine beyond registers and memory: scans,
 * thread lists, files, system calls, restarts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "one_client.h"

/* ---- Scans ---- */

static void a_checksum_does_not_see_breakpoints(void **state)
{
    char before[32];

    (void)state;
    snprintf(before, sizeof(before), "%s", ask("qCRC:1000,3000"));
    expect("Z0,1000,1", "OK");
    expect("Z0,2fff,1", "OK");
    expect("qCRC:1000,3000", before);
    *fake_byte(&machine, 0x2000) ^= 1;
    assert_string_not_equal(ask("qCRC:1000,3000"), before);
}

static void a_checksum_may_be_asked_for_by_load_address(void **state)
{
    struct gdbstub_arch arch = *machine.port.arch;
    char there[32];

    (void)state;
    snprintf(there, sizeof(there), "%s", ask("qCRC:3000,100"));
    arch.loaded = (struct gdbstub_range){.start = 0x100000, .length = 0x1000};
    arch.loaded_offset = 0x3000 - UINT64_C(0x100000);
    machine.port.arch = &arch;
    expect("qCRC:100000,100", there);
    expect("qCRC:101000,100", "E14");
}

/* As GDB computes it: remote.c, xcrc32(). */
static void a_checksum_is_gdb_s(void **state)
{
    (void)state;
    memcpy(fake_byte(&machine, 0x1000), "123456789", 9);
    expect("qCRC:1000,9", "C376e6e7");
}

static void a_search_finds_what_lies_across_its_pieces(void **state)
{
    char request[64], reply[32];

    (void)state;
    for (uint64_t at = 0x1ff0; at < 0x2010; at++) {
        memcpy(fake_byte(&machine, at), "needle", 6);
        snprintf(request, sizeof(request), "qSearch:memory:1000;f000;needle");
        snprintf(reply, sizeof(reply), "1,%x", (unsigned)at);
        expect(request, reply);
        memset(fake_byte(&machine, at), 0, 6);
    }
    expect("qSearch:memory:1000;f000;needle", "0");
}

static void a_search_does_not_see_breakpoints(void **state)
{
    (void)state;
    expect("Z0,1800,1", "OK");
    expect("qSearch:memory:1000;1000;\xcc", "0");
}

static void a_search_ends_at_unreadable_memory(void **state)
{
    (void)state;
    machine.absent[3] = true;
    *fake_byte(&machine, 0x4000) = 0x77;
    expect("qSearch:memory:1000;f000;\x77", "E14");
    *fake_byte(&machine, 0x2fff) = 0x77;
    expect("qSearch:memory:1000;f000;\x77", "1,2fff");
}

static void a_search_that_compares_too_much_is_refused(void **state)
{
    static char request[3000];
    int len = snprintf(request, sizeof(request), "qSearch:memory:1000;f000;");

    (void)state;
    memset(fake_byte(&machine, 0x1000), 'a', FAKE_MEMORY - 0x1000);
    memset(request + len, 'a', 2000);
    request[len + 2000] = 'b';
    expect(request, "E.more than 64 MiB of work: ask in pieces");
}

/* ---- Threads ---- */

#define FIRST      "<thread id=\"p1.1\" core=\"0\" name=\"thread-1\">running</thread>"
#define FIRST_NAME "<thread id=\"p1.1\" core=\"0\" name=\"thread-1\"/>"
#define SECOND     "<thread id=\"p1.2\" core=\"1\" name=\"thread-2\">sleeping</thread>"
#define SECOND_ID  "<thread id=\"p1.2\"/>"
#define LIST(a, b) "l<threads>" a b "</threads>"

static void the_second_list_of_a_stop_says_all(void **state)
{
    (void)state;
    expect("qXfer:threads:read::0,1000", LIST(FIRST_NAME, SECOND_ID));
    expect("qXfer:threads:read::0,1000", LIST(FIRST, SECOND));
    expect("qXfer:threads:read::0,1000", LIST(FIRST, SECOND));
    assert_int_equal(request("vCont;c"), GDBSTUB_RESUME);
    step_trap(1);
    hear();
    expect("qXfer:threads:read::0,1000", LIST(FIRST_NAME, SECOND_ID));
    expect("qXfer:threads:read::0,1000", LIST(FIRST, SECOND));
}

static void a_place_of_several_threads_is_said_once(void **state)
{
    (void)state;
    machine.threads = 4;
    expect("Hgp1.2", "OK");
    expect("P10=0010000000000000", "OK");
    expect("qXfer:threads:read:places:0,1000", "l1:0;2:1000;3:0;4:1000;");
    expect("qXfer:threads:read:places:5,5", "m:1000");
    expect("Hgp1.1", "OK");
    expect("P10=0010000000000000", "OK");
    expect("qXfer:threads:read:places:0,1000", "l1-4:1000;");
    machine.dead_thread = 2;
    expect("qXfer:threads:read:places:0,1000", "l1:1000;3-4:1000;");
    machine.without_value[FAKE_RIP] = true;
    expect("qXfer:threads:read:places:0,1000", "l");
}

static void a_list_in_pieces_is_one_list(void **state)
{
    static char whole[FAKE_PACKET];
    char request[64];
    size_t len = 0;

    (void)state;
    machine.threads = 300;
    do {
        snprintf(request, sizeof(request), "qXfer:threads:read::%zx,1000", len);
        ask(request);
        len += (size_t)snprintf(whole + len, sizeof(whole) - len, "%s", machine.reply + 1);
    } while (machine.reply[0] == 'm');
    assert_int_equal(machine.reply[0], 'l');
    assert_non_null(strstr(whole, "<thread id=\"p1.12c\"/></threads>"));
    assert_int_equal(len, strlen("<threads></threads>") + strlen(FIRST_NAME) +
                              299 * strlen("<thread id=\"p1.1\"/>") + 299 - 14 + 300 - 255);
}

/* ---- Objects ---- */

static void a_file_is_read_in_pieces(void **state)
{
    char request[64];
    uint64_t offset = 0;
    unsigned count;

    (void)state;
    for (;;) {
        snprintf(request, sizeof(request), "vFile:pread:1,1000,%x", (unsigned)offset);
        ask(request);
        assert_int_equal(sscanf(machine.reply, "F%x;", &count), 1);
        if (count == 0)
            break;
        for (unsigned i = 0; i < count; i++, offset++) {
            static char *at;
            at = i == 0 ? strchr(machine.reply, ';') + 1 : at;
            unsigned byte = (uint8_t)*at++;
            if (byte == '}')
                byte = (uint8_t)(*at++ ^ 0x20);
            assert_int_equal(byte, offset & 0xff);
        }
    }
    assert_int_equal(offset, FAKE_FILE);
}

static void a_file_has_a_size_and_a_mode(void **state)
{
    static const uint8_t mode[] = {0, 0, 0x81, 0x24}, size[] = {0, 0, 0, 0, 0, 0, 0x27, 0x10};

    (void)state;
    ask("vFile:fstat:1");
    assert_memory_equal(machine.reply, "F40;", 4);
    /* '$' is 0x24: escaped */
    assert_memory_equal(machine.reply + 4 + 8, mode, 3);
    assert_memory_equal(machine.reply + 4 + 11, "}\x04", 2);
    assert_memory_equal(machine.reply + 4 + 28 + 1, size, 8);
}

static void without_objects_nothing_of_them_is_spoken(void **state)
{
    (void)state;
    machine.port.object_count = 0;
    assert_null(strstr(ask("qSupported:swbreak+"), "osdata"));
    expect("qXfer:osdata:read::0,10", "");
    expect("qXfer:exec-file:read::0,10", "");
    expect("vFile:setfs:0", "");
}

static void what_the_port_cannot_do_is_not_spoken(void **state)
{
    (void)state;
    machine.port.can_restart = machine.port.has_syscalls = false;
    machine.port.memory_region = NULL;
    assert_null(strstr(ask("qSupported:swbreak+"), "QCatchSyscalls"));
    expect("!", "");
    expect("R00", "");
    expect("vRun;", "");
    expect("vAttach;1", "");
    expect("QCatchSyscalls:1", "");
    expect("qMemoryRegionInfo:1000", "");
}

/* ---- Restarts ---- */

static void a_run_goes_on_in_the_next_life(void **state)
{
    (void)state;
    expect("!", "OK");
    expect("qAttached:1", "1");
    expect("Z0,1000,1", "OK");
    assert_int_equal(request("vRun;"), GDBSTUB_RESTART);
    expect_silence();
    assert_int_equal(*fake_byte(&machine, 0x1000), 0);
    uint32_t saved = gdbstub_save(&machine.stub);

    memset(&machine.stub, 0x5a, sizeof(machine.stub));
    gdbstub_init(&machine.stub, &machine.port);
    gdbstub_restore(&machine.stub, saved);
    assert_true(gdbstub_attached(&machine.stub));
    assert_int_equal(step_trap(1), GDBSTUB_WAIT);
    expect_stop("T05", "thread:p1.1;");
    machine.output_length = machine.output_taken = 0;
    expect("qAttached:1", "0");
    assert_int_equal(machine.output[0], '$'); /* still without acknowledgements */
}

static void an_old_style_restart_owes_no_reply(void **state)
{
    (void)state;
    assert_int_equal(request("R00"), GDBSTUB_RESTART);
    expect_silence();
    assert_int_equal(gdbstub_save(&machine.stub), 0);
    gdbstub_init(&machine.stub, &machine.port);
    gdbstub_restore(&machine.stub, 0);
    assert_false(gdbstub_attached(&machine.stub));
}

static void a_kill_on_an_extended_connection_keeps_the_machine(void **state)
{
    (void)state;
    expect("!", "OK");
    assert_int_equal(request("vKill;1"), GDBSTUB_WAIT);
    assert_string_equal(hear(), "OK");
    assert_int_equal(request("vRun;"), GDBSTUB_RESTART);
}

/* ---- System calls ---- */

static void caught_system_calls_are_those_of_the_list(void **state)
{
    struct gdbstub *stub = &machine.stub;

    (void)state;
    assert_false(gdbstub_catches_syscall(stub, 1));
    expect("QCatchSyscalls:1;1;3c", "OK");
    assert_true(gdbstub_catches_syscall(stub, 1) && gdbstub_catches_syscall(stub, 0x3c));
    assert_false(gdbstub_catches_syscall(stub, 2) || gdbstub_catches_syscall(stub, 0x23c));
    expect("QCatchSyscalls:1", "OK");
    assert_true(gdbstub_catches_syscall(stub, 2) && gdbstub_catches_syscall(stub, UINT64_MAX));
    expect("QCatchSyscalls:0", "OK");
    assert_false(gdbstub_catches_syscall(stub, 1));
}

static void caught_system_calls_end_with_the_session(void **state)
{
    (void)state;
    expect("QCatchSyscalls:1", "OK");
    assert_int_equal(request("D;1"), GDBSTUB_DETACH);
    assert_false(gdbstub_catches_syscall(&machine.stub, 1));
    hear();
    fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGINT, 1);
    ask("qSupported");
    assert_false(gdbstub_catches_syscall(&machine.stub, 1));
}

static void a_system_call_stops_with_its_number(void **state)
{
    const struct gdbstub_stop entry = {GDBSTUB_CAUSE_SYSCALL_ENTRY, GDBSTUB_SIGTRAP, 1, 0x3c};
    const struct gdbstub_stop end = {GDBSTUB_CAUSE_SYSCALL_RETURN, GDBSTUB_SIGTRAP, 1, 0x3c};

    (void)state;
    assert_int_equal(request("vCont;c"), GDBSTUB_RESUME);
    gdbstub_stopped(&machine.stub, &entry);
    expect_stop("T05syscall_entry:3c;", "thread:p1.1;");
    assert_int_equal(request("vCont;c"), GDBSTUB_RESUME);
    gdbstub_stopped(&machine.stub, &end);
    expect_stop("T05syscall_return:3c;", "thread:p1.1;");
}

/* ---- For the port ---- */

static void the_port_reads_memory_as_gdb_sees_it(void **state)
{
    uint8_t bytes[2] = {0xff, 0xff};

    (void)state;
    expect("Z0,1000,1", "OK");
    assert_int_equal(gdbstub_read_memory(&machine.stub, 0x1000, bytes, 2), 2);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(gdbstub_read_memory(&machine.stub, 0xffff, bytes, 2), 1);
}

static void the_port_can_list_what_is_inserted(void **state)
{
    struct gdbstub_inserted point;

    (void)state;
    expect("Z0,1000,1", "OK");
    expect("Z2,3000,4", "OK");
    assert_true(gdbstub_inserted_point(&machine.stub, 0, &point));
    assert_true(point.type == 0 && point.address == 0x1000 && point.length == 1);
    assert_true(gdbstub_inserted_point(&machine.stub, 1, &point));
    assert_true(point.type == 2 && point.address == 0x3000 && point.length == 4);
    assert_false(gdbstub_inserted_point(&machine.stub, 2, &point));
}

static void statistics_count_requests_and_bytes(void **state)
{
    struct gdbstub_statistics before = machine.stub.statistics;
    const struct gdbstub_statistics *now = &machine.stub.statistics;

    (void)state;
    expect("qC", "QCp1.1");
    assert_int_equal(now->requests, before.requests + 1);
    assert_int_equal(now->replies, before.replies + 1);
    assert_int_equal(now->bytes_received, before.bytes_received + strlen("$qC#xx"));
    assert_int_equal(now->bytes_sent, before.bytes_sent + strlen("$QCp1.1#xx"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, attach)
    const struct CMUnitTest tests[] = {
        CASE(a_checksum_does_not_see_breakpoints),
        CASE(a_checksum_may_be_asked_for_by_load_address),
        CASE(a_checksum_is_gdb_s),
        CASE(a_search_finds_what_lies_across_its_pieces),
        CASE(a_search_does_not_see_breakpoints),
        CASE(a_search_ends_at_unreadable_memory),
        CASE(a_search_that_compares_too_much_is_refused),
        CASE(the_second_list_of_a_stop_says_all),
        CASE(a_place_of_several_threads_is_said_once),
        CASE(a_list_in_pieces_is_one_list),
        CASE(a_file_is_read_in_pieces),
        CASE(a_file_has_a_size_and_a_mode),
        CASE(without_objects_nothing_of_them_is_spoken),
        CASE(what_the_port_cannot_do_is_not_spoken),
        CASE(a_run_goes_on_in_the_next_life),
        CASE(an_old_style_restart_owes_no_reply),
        CASE(a_kill_on_an_extended_connection_keeps_the_machine),
        CASE(caught_system_calls_are_those_of_the_list),
        CASE(caught_system_calls_end_with_the_session),
        CASE(a_system_call_stops_with_its_number),
        CASE(the_port_reads_memory_as_gdb_sees_it),
        CASE(the_port_can_list_what_is_inserted),
        CASE(statistics_count_requests_and_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
