/*
 * test_gdbstub_agent.c - agent expressions by themselves: what each operation does, what is refused
 * before it can run, what goes wrong when it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent_code.h"

#define MINUS(n) "25 ffffffffffffff" #n " "

struct operation {
    uint8_t code;
    const char *hex; /* with its end */
    uint64_t value;
};

static const struct operation operations[] = {
    {AGENT_ADD, "22 07 22 05 02 27", 12},
    {AGENT_SUB, "22 07 22 09 03 27", (uint64_t)-2},
    {AGENT_MUL, MINUS(fe) "22 05 04 27", (uint64_t)-10},
    {AGENT_DIV_SIGNED, MINUS(f9) "22 02 05 27", (uint64_t)-3},
    {AGENT_DIV_SIGNED, "25 8000000000000000" MINUS(ff) "05 27", (uint64_t)1 << 63},
    {AGENT_DIV_UNSIGNED, MINUS(f9) "22 02 06 27", 0x7ffffffffffffffc},
    {AGENT_REM_SIGNED, MINUS(f9) "22 02 07 27", (uint64_t)-1},
    {AGENT_REM_SIGNED, "25 8000000000000000" MINUS(ff) "07 27", 0},
    {AGENT_REM_UNSIGNED, MINUS(f9) "22 02 08 27", 1},
    {AGENT_LSH, "22 03 22 3e 09 27", (uint64_t)3 << 62},
    {AGENT_LSH, "22 03 22 40 09 27", 0},
    {AGENT_RSH_SIGNED, MINUS(f0) "22 02 0a 27", (uint64_t)-4},
    {AGENT_RSH_SIGNED, MINUS(f0) "22 40 0a 27", (uint64_t)-1},
    {AGENT_RSH_SIGNED, "22 f0 22 40 0a 27", 0},
    {AGENT_RSH_UNSIGNED, MINUS(f0) "22 02 0b 27", 0x3ffffffffffffffc},
    {AGENT_RSH_UNSIGNED, MINUS(f0) MINUS(ff) "0b 27", 0},
    {AGENT_LOG_NOT, "22 00 0e 27", 1},
    {AGENT_LOG_NOT, "22 10 0e 27", 0},
    {AGENT_BIT_AND, "22 0c 22 06 0f 27", 4},
    {AGENT_BIT_OR, "22 0c 22 06 10 27", 14},
    {AGENT_BIT_XOR, "22 0c 22 06 11 27", 10},
    {AGENT_BIT_NOT, "22 01 12 27", (uint64_t)-2},
    {AGENT_EQUAL, "22 05 22 05 13 27", 1},
    {AGENT_EQUAL, "22 05 22 06 13 27", 0},
    {AGENT_LESS_SIGNED, MINUS(ff) "22 00 14 27", 1},
    {AGENT_LESS_SIGNED, "22 00" MINUS(ff) "14 27", 0},
    {AGENT_LESS_UNSIGNED, MINUS(ff) "22 00 15 27", 0},
    {AGENT_LESS_UNSIGNED, "22 00" MINUS(ff) "15 27", 1},
    {AGENT_EXT, "23 1280 16 08 27", (uint64_t)-128},
    {AGENT_EXT, "23 127f 16 08 27", 127},
    {AGENT_EXT, "23 1280 16 40 27", 0x1280},
    {AGENT_EXT, "22 03 16 01 27", (uint64_t)-1},
    {AGENT_REF8, "23 1001 17 27", 0xf1},
    {AGENT_REF16, "23 1001 18 27", 0xf2f1},
    {AGENT_REF32, "23 1001 19 27", 0xf4f3f2f1},
    {AGENT_REF64, "23 1001 1a 27", 0xf8f7f6f5f4f3f2f1},
    {AGENT_IF_GOTO, "22 01 20 0008 22 05 27 22 06 27", 6},
    {AGENT_IF_GOTO, "22 00 20 0008 22 05 27 22 06 27", 5},
    {AGENT_GOTO, "21 0006 22 05 27 22 06 27", 6},
    {AGENT_CONST8, "22 ff 27", 0xff},
    {AGENT_CONST16, "23 ff01 27", 0xff01},
    {AGENT_CONST32, "24 ff020304 27", 0xff020304},
    {AGENT_CONST64, "25 ff02030405060708 27", 0xff02030405060708},
    {AGENT_REG, "26 0000 27", 0x1122334455667788},
    {AGENT_REG, "26 0011 27", 0xffffff01},
    {AGENT_END, "22 09 27", 9},
    {AGENT_DUP, "22 03 28 04 27", 9},
    {AGENT_POP, "22 03 22 04 29 27", 3},
    {AGENT_ZERO_EXT, "23 12ff 2a 08 27", 0xff},
    {AGENT_ZERO_EXT, MINUS(ff) "2a 40 27", (uint64_t)-1},
    {AGENT_SWAP, "22 03 22 05 2b 03 27", 2},
    {AGENT_PICK, "22 03 22 05 22 07 32 02 27", 3},
    {AGENT_PICK, "22 03 22 05 32 00 27", 5},
    {AGENT_ROT, "22 01 22 02 22 03 33 27", 2}, /* 1 2 3 -> 3 1 2 */
    {AGENT_ROT, "22 01 22 02 22 03 33 29 27", 1},
    {AGENT_ROT, "22 01 22 02 22 03 33 29 29 27", 3},
    {AGENT_PRINTF, "22 08 22 01 22 00 22 00 34 01 0003 256400 27", 8},
    /* a backward jump: 5 + 4 + 3 + 2 + 1 */
    {AGENT_IF_GOTO, "22 00 22 05 28 33 02 2b 22 01 03 28 20 0004 29 27", 15},
};

static void each_operation_does_what_the_manual_says(void **state)
{
    uint8_t code[CODE];
    struct agent_fault fault;

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        const char *hex = operations[i].hex;
        const char *refusal = verify(code, assemble(hex, code), AGENT_CONDITION);
        if (refusal != NULL)
            fail_msg("%s: refused: %s", hex, refusal);
        uint64_t value = stub_run_agent(&machine.stub, 1, code, &fault);
        if (fault.reason != NULL || value != operations[i].value)
            fail_msg("%s: expected %#llx, got %#llx (%s)", hex,
                     (unsigned long long)operations[i].value, (unsigned long long)value,
                     fault.reason);
    }
}

static bool is_tested(uint8_t code)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (operations[i].code == code)
            return true;
    }
    return false;
}

static void each_operation_that_runs_is_tested(void **state)
{
    (void)state;
    for (unsigned code = 0; code < AGENT_CODES; code++) {
        if (stub_agent_rows[code].family > FAMILY_TRACE && !is_tested((uint8_t)code))
            fail_msg("operation %#x has no row here", code);
    }
}

#define UNKNOWN "an operation is unknown"
#define FLOAT   "floating point is not evaluated here"
#define TRACE   "there are no tracepoints, and none of their variables"
#define CUT     "it ends in the middle of an operation"
#define NO_END  "it does not end with `end`"
#define JUMP    "a jump does not go to an operation"
#define LITTLE  "the stack holds too little"

static const struct {
    const char *hex, *reason;
} refusals[] = {
    {"", NO_END},
    {"22 01", NO_END},
    {"22 01 27 29", NO_END},
    {"27", "it leaves no value"},
    {"22 01 29 27", "it leaves no value"},
    {"00 27", UNKNOWN},
    {"31 27", UNKNOWN},
    {"35 27", UNKNOWN},
    {"ff 27", UNKNOWN},
    {"22 01 27 ff 27", UNKNOWN}, /* not even where it is never reached */
    {"01 27", FLOAT},
    {"22 01 1b 27", FLOAT},
    {"22 01 1c 27", FLOAT},
    {"22 01 1d 27", FLOAT},
    {"22 01 1e 27", FLOAT},
    {"22 01 1f 27", FLOAT},
    {"22 01 22 01 0c 27", TRACE},
    {"22 01 0d 01 27", TRACE},
    {"2c 0001 27", TRACE},
    {"22 01 2d 0001 27", TRACE},
    {"2e 0001 27", TRACE},
    {"22 01 22 01 2f 27", TRACE},
    {"22 01 30 0001 27", TRACE},
    {"22", CUT},
    {"25 01020304050607", CUT},
    {"21 00", CUT},
    {"22 00 22 00 34 00 00", CUT},
    {"22 00 22 00 34 00 0009 00 27", CUT},
    {"02 27", LITTLE},
    {"22 01 02 27", LITTLE},
    {"0e 27", LITTLE},
    {"28 27", LITTLE},
    {"29 27", LITTLE},
    {"22 01 2b 27", LITTLE},
    {"22 01 22 02 33 27", LITTLE},
    {"32 00 27", LITTLE},
    {"22 01 32 01 27", LITTLE},
    {"17 27", LITTLE},
    {"20 0003 27", LITTLE},
    {"22 01 34 00 0001 00 27", LITTLE},
    {"22 00 22 00 34 01 0003 256400 27", LITTLE},
    {"26 002a 27", "there is no such register"},
    {"26 ffff 27", "there is no such register"},
    {"26 0028 27", "the register is not one integer"},
    {"26 0018 27", "the register is not one integer"},
    {"22 01 16 00 27", "a value has 1 to 64 bits"},
    {"22 01 16 41 27", "a value has 1 to 64 bits"},
    {"22 01 2a 00 27", "a value has 1 to 64 bits"},
    {"21 0001 22 01 27", JUMP},
    {"21 0006 22 01 27", JUMP},
    {"21 ffff 22 01 27", JUMP},
    {"22 01 20 0001 22 01 27", JUMP},
    {"22 01 20 0007 22 01 22 01 27", "the stack's depth depends on the path"},
    {"22 01 21 0000 27", "the stack's depth depends on the path"}, /* grows with each turn */
    {"22 00 22 00 34 00 0000 27", "a format has no end"},
    {"22 00 22 00 34 00 0001 41 27", "a format has no end"},
};

static void what_cannot_run_is_refused_with_the_reason(void **state)
{
    uint8_t code[CODE];

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const char *reason = verify(code, assemble(refusals[i].hex, code), AGENT_CONDITION);
        if (reason == NULL || strcmp(reason, refusals[i].reason) != 0)
            fail_msg("%s: expected \"%s\", got \"%s\"", refusals[i].hex, refusals[i].reason,
                     reason);
    }
}

static void the_stack_is_as_deep_as_it_is_said_to_be(void **state)
{
    uint8_t code[CODE];

    (void)state;
    prepare();
    for (size_t depth = 1; depth <= AGENT_STACK + 1; depth++) {
        for (size_t i = 0; i < depth; i++)
            memcpy(code + 2 * i, "\x22\x01", 2);
        code[2 * depth] = AGENT_END;
        assert_int_equal(verify(code, 2 * depth + 1, AGENT_CONDITION) == NULL,
                         depth <= AGENT_STACK);
    }
}

static const struct {
    const char *hex, *reason;
    uint64_t address; /* 0: none */
} faults[] = {
    {"22 01 22 00 05 27", "division by zero", 0},
    {"22 01 22 00 06 27", "division by zero", 0},
    {"22 01 22 00 07 27", "division by zero", 0},
    {"22 01 22 00 08 27", "division by zero", 0},
    {"22 00 17 27", "there is no memory to read at", 0},
    {"23 1ffd 1a 27", "there is no memory to read at", 0x1ffd},
    {"25 fffffffffffffffc 1a 27", "there is no memory to read at", 0xfffffffffffffffc},
    {"26 0029 27", "a register has no value", 0},
    {"21 0000 22 01 27", "it does not come to an end", 0},
};

static void what_goes_wrong_has_a_reason(void **state)
{
    uint8_t code[CODE];
    struct agent_fault fault;

    (void)state;
    prepare();
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        assert_null(verify(code, assemble(faults[i].hex, code), AGENT_CONDITION));
        stub_run_agent(&machine.stub, 1, code, &fault);
        if (fault.reason == NULL || strcmp(fault.reason, faults[i].reason) != 0 ||
            fault.address != faults[i].address)
            fail_msg("%s: expected \"%s\", got \"%s\"", faults[i].hex, faults[i].reason,
                     fault.reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_does_what_the_manual_says),
        cmocka_unit_test(each_operation_that_runs_is_tested),
        cmocka_unit_test(what_cannot_run_is_refused_with_the_reason),
        cmocka_unit_test(the_stack_is_as_deep_as_it_is_said_to_be),
        cmocka_unit_test(what_goes_wrong_has_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
