/*
 * test_gdbstub_faults.c - a fault inside a port function costs one request, not the session.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "one_client.h"

static void prepare(void)
{
    fake_init(&machine);
    fake_set(&machine, 1, FAKE_RIP, 0x1040);
    fake_attach(&machine);
}

static jmp_buf unwound;
static bool faulty;
static size_t (*real_read_memory)(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                                  size_t len);
static bool (*real_read_register)(void *ctx, gdbstub_thread thread, size_t reg, void *value);

static size_t read_memory_with_fault(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                                     size_t len)
{
    if (faulty && addr == 0x1100)
        longjmp(unwound, 1);
    return real_read_memory(ctx, thread, addr, buf, len);
}

static bool read_register_with_fault(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    if (faulty)
        longjmp(unwound, 1);
    return real_read_register(ctx, thread, reg, value);
}

static void prepare_faults(void)
{
    prepare();
    real_read_memory = machine.port.read_memory;
    real_read_register = machine.port.read_register;
    machine.port.read_memory = read_memory_with_fault;
    machine.port.read_register = read_register_with_fault;
    faulty = true;
}

static void request_with_fault(const char *text, const char *description)
{
    if (setjmp(unwound) == 0)
        request(text);
    else
        gdbstub_abandon(&machine.stub, description);
}

static void step_trap_with_fault(void)
{
    if (setjmp(unwound) == 0)
        fake_stop(&machine, GDBSTUB_CAUSE_SIGNAL, GDBSTUB_SIGTRAP, 1);
    else
        gdbstub_abandon(&machine.stub, "page fault");
}

/* A part of the reply was written already: it is dropped, and the session goes on. */
static void a_fault_is_the_answer(void **state)
{
    (void)state;
    prepare_faults();
    request_with_fault("m1000,200", "page fault at $0x1100#");
    assert_string_equal(hear(), "E.page fault at _0x1100_");
    gdbstub_abandon(&machine.stub, "again");
    assert_string_equal(hear(), "(none)");
    faulty = false;
    assert_int_equal(strlen(ask("m1000,200")), 0x400);
}

/* Also where GDB waits for a stop reply, which GDB takes as a stop. */
static void a_fault_in_a_stop_reply_is_the_answer(void **state)
{
    static const char *const resumes[] = {"vCont;c", "vCont;r1000,2000:p1.1"};

    (void)state;
    for (size_t i = 0; i < sizeof(resumes) / sizeof(resumes[0]); i++) {
        prepare_faults();
        request(resumes[i]);
        step_trap_with_fault();
        assert_string_equal(hear(), "E.page fault");
        faulty = false;
        assert_memory_equal(ask("?"), "T05", 3);
    }
}

static void nothing_to_abandon_is_nothing(void **state)
{
    (void)state;
    prepare();
    gdbstub_abandon(&machine.stub, "x");
    request("vCont;c");
    gdbstub_abandon(&machine.stub, "x");
    assert_true(machine.stub.running);
    assert_string_equal(hear(), "(none)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_the_answer),
        cmocka_unit_test(a_fault_in_a_stop_reply_is_the_answer),
        cmocka_unit_test(nothing_to_abandon_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
