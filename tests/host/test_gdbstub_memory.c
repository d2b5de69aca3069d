/*
 * test_gdbstub_memory.c - memory and registers: what can be reached, what is changed and what not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

static void prepare(void)
{
    fake_init(&machine);
    for (unsigned i = 0; i < sizeof(machine.memory); i++)
        machine.memory[i] = (uint8_t)(i ^ i >> 8);
    fake_attach(&machine);
}

/* Ask for more than there is, or than fits. */
static void long_reads_are_cut(void **state)
{
    static const struct {
        const char *request;
        unsigned bytes;
    } reads[] = {
        {"m1000,800", 0x800},
        {"m1000,801", 0x800}, /* a packet is full */
        {"m1000,ffffffffffffffff", 0x800},
        {"m1c00,800", 0x400}, /* 0x2000 is absent */
        {"m1fff,800", 1},
        {"mfffffffffffffc00,800", 0x400}, /* the address space ends */
    };

    (void)state;
    prepare();
    machine.absent[2] = true;
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        size_t digits = strlen(ask(reads[i].request));
        if (digits != 2 * reads[i].bytes)
            fail_msg("%s: expected %u bytes, got %zu digits", reads[i].request, reads[i].bytes,
                     digits);
    }
}

/* 4095 bytes of which none needs an escape fit; of those that do, half as many. */
static void long_binary_reads_are_cut(void **state)
{
    (void)state;
    prepare();
    for (unsigned i = 0; i < 0x2000; i++)
        machine.memory[FAKE_PAGE + i] = i % 2 ? 'a' : 'b';
    fake_request(&machine, "x1000,2000", 10);
    assert_int_equal(fake_take_packet(&machine, NULL), GDBSTUB_PACKET_SIZE);
    memset(machine.memory + FAKE_PAGE, '#', 0x2000);
    fake_request(&machine, "x1000,2000", 10);
    assert_int_equal(fake_take_packet(&machine, NULL), GDBSTUB_PACKET_SIZE - 1);
}

/* Memory may be a device: what was not asked for, or does not fit, is not touched. */
static void nothing_is_read_in_vain(void **state)
{
    (void)state;
    prepare();
    machine.reads = 0;
    ask("m1000,4");
    assert_int_equal(machine.reads, 1);
    machine.reads = 0;
    ask("m1000,0");
    assert_int_equal(machine.reads, 0);
    ask("m1000,ffff");
    assert_int_equal(machine.reads, GDBSTUB_PACKET_SIZE / 2 / 256);
}

static void writes_arrive(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(ask("M1ffe,4:01020304"), "OK");
    assert_memory_equal(machine.memory + 0x1ffe, "\x01\x02\x03\x04", 4);
    assert_string_equal(ask("X1ffe,4:}\x03}\x04}]x"), "OK");
    assert_memory_equal(machine.memory + 0x1ffe, "#$}x", 4);
    assert_string_equal(ask("Mffffffffffffffff,1:77"), "OK");
    assert_int_equal(machine.memory[sizeof(machine.memory) - 1], 0x77);
}

/* A request that says one length and brings another changes nothing. */
static void writes_of_the_wrong_length_change_nothing(void **state)
{
    (void)state;
    prepare();
    machine.writes = 0;
    ask("M1000,4:010203");
    ask("M1000,2:010203");
    ask("X1000,4:abc");
    ask("M1000,ffffffffffffffff:00");
    ask("Mffffffffffffffff,2:0102");
    assert_int_equal(machine.writes, 0);
}

/* GDB must never be told that something was written that was not. */
static void writes_that_end_in_a_hole_are_errors(void **state)
{
    (void)state;
    prepare();
    machine.absent[2] = true;
    assert_string_equal(ask("M1ffe,4:01020304"), "E14");
    assert_string_equal(ask("M2ffe,4:01020304"), "E14");
}

static void memory_is_that_of_the_selected_thread(void **state)
{
    (void)state;
    prepare();
    ask("Hgp1.2");
    machine.dead_thread = 2;
    assert_string_equal(ask("m1000,1"), "E14");
    assert_string_equal(ask("M1000,1:00"), "E14");
    ask("Hgp1.1");
    assert_string_equal(ask("m1000,1"), "10");
}

/* ---- Registers ---- */

static void registers_are_those_of_the_selected_thread(void **state)
{
    (void)state;
    prepare();
    fake_set(&machine, 1, FAKE_RAX, 0x11);
    fake_set(&machine, 2, FAKE_RAX, 0x22);
    assert_string_equal(ask("p0"), "1100000000000000");
    ask("Hgp1.2");
    assert_string_equal(ask("p0"), "2200000000000000");
    ask("P0=3300000000000000");
    assert_int_equal(fake_get(&machine, 2, FAKE_RAX), 0x33);
    assert_int_equal(fake_get(&machine, 1, FAKE_RAX), 0x11);
    assert_memory_equal(ask("g"), "3300000000000000", 16);
}

static void a_thread_that_has_ended_has_no_registers(void **state)
{
    static const char *const requests[] = {"g", "p0", "P0=3300000000000000", "G3300000000000000"};

    (void)state;
    prepare();
    ask("Hgp1.2");
    machine.dead_thread = 2;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        assert_string_equal(ask(requests[i]), "E03");
    ask("Hg0");
    assert_int_equal(strlen(ask("g")), 2 * 164);
}

static bool no_register(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    (void)ctx;
    (void)thread;
    (void)reg;
    (void)value;
    return false;
}

/* What g says, G takes, and only what differs is written: some of it could not be. */
static void g_and_G_agree(void **state)
{
    char request[400];

    (void)state;
    prepare();
    machine.constant[FAKE_CS] = true;
    fake_set(&machine, 1, FAKE_CS, 0x10);
    snprintf(request, sizeof(request), "G%s", ask("g"));
    machine.register_writes = 0;
    assert_string_equal(ask(request), "OK");
    assert_int_equal(machine.register_writes, 0);
    memcpy(request + 1, "8877665544332211", 16);
    assert_string_equal(ask(request), "OK");
    assert_int_equal(machine.register_writes, 1);
    assert_int_equal(fake_get(&machine, 1, FAKE_RAX), 0x1122334455667788);
    request[1 + 2 * 140] = '2'; /* cs */
    assert_string_equal(ask(request), "E13");
}

/* Any number of digits that does not end with a register: an error, and nothing has changed. */
static void a_G_of_parts_changes_nothing(void **state)
{
    char request[400] = "G";
    static const unsigned char sizes[] = {8, 4}; /* up to rip, and behind it */
    size_t whole = 0;

    (void)state;
    prepare();
    memset(request + 1, '7', 2 * 164 + 2);
    for (size_t bytes = 0; bytes <= 165; bytes++) {
        bool fits = bytes > 0 && bytes <= 164 && bytes == whole + sizes[bytes > 136];
        if (fits)
            whole = bytes;
        request[1 + 2 * bytes] = '\0';
        machine.register_writes = 0;
        const char *reply = ask(request);
        if (strcmp(reply, fits ? "OK" : "E22") != 0)
            fail_msg("%zu bytes: got \"%s\"", bytes, reply);
        if (!fits)
            assert_int_equal(machine.register_writes, 0);
        request[1 + 2 * bytes] = '7';
    }
}

static void a_g_that_does_not_fit_is_an_error(void **state)
{
    static struct gdbstub_register wide[GDBSTUB_PACKET_SIZE / 32 + 1];
    struct gdbstub_arch arch;

    (void)state;
    prepare();
    arch = *machine.port.arch;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        wide[i] = arch.registers[FAKE_WIDE];
    arch.registers = wide;
    arch.register_count = arch.g_count = sizeof(wide) / sizeof(wide[0]);
    machine.port.arch = &arch;
    machine.port.read_register = no_register;
    assert_string_equal(ask("g"), "E07");
    arch.g_count--;
    assert_int_equal(strlen(ask("g")), GDBSTUB_PACKET_SIZE);
}

static void values_without_a_value_are_x(void **state)
{
    char request[400];

    (void)state;
    prepare();
    machine.without_value[FAKE_RAX] = true;
    assert_memory_equal(ask("g"), "xxxxxxxxxxxxxxxx0000", 20);
    /* GDB pads with zeros what it was told has no value. */
    memset(request, '0', sizeof(request));
    request[0] = 'G';
    request[17] = '\0';
    assert_string_equal(ask(request), "OK");
}

/* ---- The target description ---- */

/* Fetch the description in pieces of at most `piece` bytes; returns its length. */
static size_t fetch(char *text, unsigned piece)
{
    size_t len = 0;
    char request[80];

    do {
        snprintf(request, sizeof(request), "qXfer:features:read:target.xml:%zx,%x", len, piece);
        size_t got = strlen(ask(request)) - 1;
        got = fake_unescape(machine.reply + 1, got);
        if (got == 0 && machine.reply[0] != 'l')
            fail_msg("an empty piece at %zu of %u", len, piece);
        memcpy(text + len, machine.reply + 1, got);
        len += got;
    } while (machine.reply[0] == 'm');
    text[len] = '\0';
    return len;
}

static void expect_the_same_in_pieces(void)
{
    static char whole[FAKE_PACKET], pieces[FAKE_PACKET];
    size_t len = fetch(whole, 1);

    for (unsigned piece = 4; piece < 9000; piece = piece * 3 + 1) {
        assert_int_equal(fetch(pieces, piece), len);
        assert_string_equal(pieces, whole);
    }
}

static void the_description_is_the_same_in_pieces(void **state)
{
    (void)state;
    prepare();
    expect_the_same_in_pieces();
}

/* At the end of a packet one character of room is left, and what comes next needs two. */
static void a_piece_has_no_gap_where_an_escape_does_not_fit(void **state)
{
    static char types[6000];
    struct gdbstub_feature features[2];
    struct gdbstub_arch arch;

    (void)state;
    prepare();
    arch = *machine.port.arch;
    features[0] = (struct gdbstub_feature){"one", types};
    features[1] = arch.features[1];
    arch.features = features;
    machine.port.arch = &arch;
    for (size_t shift = 0; shift < 3; shift++) {
        for (size_t i = 0; i + 1 < sizeof(types); i++)
            types[i] = "#ab$xy*z"[(i + shift) % 8];
        expect_the_same_in_pieces();
    }
}

static void lldb_gets_a_description_without_defaults(void **state)
{
    (void)state;
    prepare();
    ask("qSupported:xmlRegisters=i386,arm,mips,arc;multiprocess+");
    const char *text = ask("qXfer:features:read:target.xml:0,ffff");
    assert_memory_equal(text, "l<target><architecture>", 23);
    assert_non_null(strstr(text, "<reg name=\"rbx\" bitsize=\"64\" type=\"int64\""));
    assert_non_null(strstr(text, "<reg name=\"absent\" bitsize=\"64\" type=\"int\"/>"));
}

static void the_description_lists_the_registers(void **state)
{
    static const char *const parts[] = {
        "<!DOCTYPE target[<!ATTLIST reg bitsize CDATA \"64\" type CDATA \"int64\">]><target>"
        "<architecture>i386:x86-64</architecture><feature name=\"org.gnu.gdb.i386.core\"><flags",
        "</flags><reg name=\"rax\" group=\"general\"/>"
        "<reg name=\"rbx\"",
        "<reg name=\"st0\" bitsize=\"80\" type=\"i387_ext\" group=\"float\"/>",
        "<reg name=\"fop\" bitsize=\"32\" type=\"int\" group=\"float\"/></feature>"
        "<feature name=\"org.trapline.test\"><reg name=\"wide\" bitsize=\"128\" type=\"uint128\"/>"
        "<reg name=\"absent\" type=\"int\"/></feature></target>",
    };

    (void)state;
    prepare();
    const char *text = ask("qXfer:features:read:target.xml:0,ffff");
    assert_int_equal(text[0], 'l');
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(text, parts[i]) == NULL)
            fail_msg("not found: %s", parts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_reads_are_cut),
        cmocka_unit_test(long_binary_reads_are_cut),
        cmocka_unit_test(nothing_is_read_in_vain),
        cmocka_unit_test(writes_arrive),
        cmocka_unit_test(writes_of_the_wrong_length_change_nothing),
        cmocka_unit_test(writes_that_end_in_a_hole_are_errors),
        cmocka_unit_test(memory_is_that_of_the_selected_thread),
        cmocka_unit_test(registers_are_those_of_the_selected_thread),
        cmocka_unit_test(a_thread_that_has_ended_has_no_registers),
        cmocka_unit_test(g_and_G_agree),
        cmocka_unit_test(a_G_of_parts_changes_nothing),
        cmocka_unit_test(a_g_that_does_not_fit_is_an_error),
        cmocka_unit_test(values_without_a_value_are_x),
        cmocka_unit_test(the_description_is_the_same_in_pieces),
        cmocka_unit_test(a_piece_has_no_gap_where_an_escape_does_not_fit),
        cmocka_unit_test(the_description_lists_the_registers),
        cmocka_unit_test(lldb_gets_a_description_without_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
