/*
 * fuzz_agent.c - any bytes as an agent expression: what the verifier lets through runs, and comes
 * to what a second, plain interpreter makes of it, text included.
 *
 * The input is either the expression itself, or chooses operations one by one, so that most of them
 * can be run.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_port.h"
#include "gdbstub/agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CODE = 2048,
    TEXT = FAKE_LOG,
};

static struct fake_machine machine;

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_agent: %s\n", what);
    abort();
}

#include "second_agent.h"

/* ---- Inputs ---- */

static const uint8_t choices[] = {0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0e,
                                  0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
                                  0x1a, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x28, 0x29, 0x2a,
                                  0x2b, 0x32, 0x33, 0x34, 0x22, 0x22, 0x22, 0x23, 0x27};

static const char *const formats[] = {"%d",      "%5u|%-6x", "%ld %s\\n",    "%c%%",
                                      "%.3s",    "%#lx%+d",  "%05d% d",      "\\t\\\"%lo",
                                      "%hd%hhu", "%p",       "%8.3d|%-8.3s|"};

struct input {
    const uint8_t *at, *end;
};

static uint8_t next(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static size_t put_printf(uint8_t *code, const char *format)
{
    size_t len = strlen(format) + 1, arguments = 0;

    for (const char *at = format; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] != '%')
            arguments++;
        else if (at[0] == '%')
            at++;
    }
    code[0] = 0x34;
    code[1] = (uint8_t)arguments;
    code[2] = 0;
    code[3] = (uint8_t)len;
    memcpy(code + 4, format, len);
    return 4 + len;
}

/* Choose operations; jumps go to ones that are there. */
static size_t generate(struct input *input, uint8_t *code)
{
    size_t starts[CODE], count = 0, jumps[CODE], jump_count = 0, len = 0;

    while (input->at < input->end && len < CODE - 64) {
        uint8_t operation = choices[next(input) % sizeof(choices)];
        starts[count++] = len;
        if (operation == 0x34) {
            len +=
                put_printf(code + len, formats[next(input) % (sizeof(formats) / sizeof(char *))]);
            continue;
        }
        code[len++] = operation;
        if (operation == 0x20 || operation == 0x21)
            jumps[jump_count++] = len;
        for (unsigned i = 0; i < stub_agent_rows[operation].operand; i++)
            code[len++] = next(input);
        if (operation == 0x26)
            code[len - 2] = 0;
        if (operation == 0x16 || operation == 0x2a)
            code[len - 1] = (uint8_t)(code[len - 1] % 64 + 1);
        if (operation == 0x32)
            code[len - 1] %= 8;
    }
    starts[count++] = len;
    code[len++] = 0x27;
    for (size_t i = 0; i < jump_count; i++) {
        size_t to = starts[(code[jumps[i]] << 8 | code[jumps[i] + 1]) % count];
        code[jumps[i]] = (uint8_t)(to >> 8);
        code[jumps[i] + 1] = (uint8_t)to;
    }
    return len;
}

static void prepare(void)
{
    machine.log[0] = '\0';
    if (machine.port.ctx != NULL)
        return;
    fake_init(&machine);
    for (unsigned i = 0; i < FAKE_MEMORY; i++)
        machine.memory[i] = (uint8_t)(i % 7 == 0 ? 0 : i % 90 + 33);
    machine.absent[5] = true;
    for (size_t reg = 0; reg < FAKE_ST0; reg++) {
        fake_set(&machine, 1, reg, 0x1000 * reg - 3);
        if (machine.port.arch->registers[reg].bits == 32)
            fake_set(&machine, 1, reg, (0x1000 * reg - 3) & UINT32_MAX);
    }
}

static void compare(const uint8_t *code, size_t len, enum agent_use use)
{
    static struct second second;
    struct agent_fault fault;
    int result = 1;

    uint64_t value = stub_run_agent(&machine.stub, 1, code, &fault);
    second.code = code;
    second.len = len;
    second.at = second.depth = 0;
    second.text[0] = '\0';
    second.failed = false;
    for (unsigned steps = 0; result == 1 && steps < AGENT_STEPS; steps++)
        result = step(&second);
    if (result == -2)
        return;
    if ((fault.reason != NULL) != (result != 0))
        fail("one of the two interpreters has met an error");
    if (result == 0 && second.depth > 0 && value != second.stack[second.depth - 1])
        fail("the values differ");
    if (result == 0 && second.depth == 0 && use == AGENT_CONDITION)
        fail("a condition leaves no value");
    if (result != 1 && !second.failed && strcmp(machine.log, second.text) != 0) {
        fprintf(stderr, "\"%s\" and \"%s\"\n", machine.log, second.text);
        fail("the texts differ");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data + 1, data + size};

    if (size < 1 || size > CODE / 16)
        return 0;
    prepare();
    enum agent_use use = data[0] & 1 ? AGENT_COMMAND : AGENT_CONDITION;
    uint8_t room[CODE];
    size_t len = size - 1;
    if (data[0] & 2)
        memcpy(room, data + 1, len);
    else
        len = generate(&input, room);
    /* Of just that size each, so that the sanitizer sees one byte too many. */
    uint8_t *code = malloc(len + 1), *marks = malloc(len + 1);
    memcpy(code + 1, room, len);
    if (stub_verify_agent(machine.port.arch, code + 1, len, use, marks + 1) == NULL)
        compare(code + 1, len, use);
    free(code);
    free(marks);
    return 0;
}
