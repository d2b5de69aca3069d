/*
 * agent_code.h - agent expressions as hex digits, and a machine to run them in.  After <cmocka.h>.
 */
#ifndef TESTS_HOST_AGENT_CODE_H
#define TESTS_HOST_AGENT_CODE_H

#include <stdlib.h>

#include "gdbstub/agent.h"
#include "one_client.h"

enum {
    CODE = 4096,
};

/* Hex digits, and spaces between them, into bytes. */
static inline size_t assemble(const char *hex, uint8_t *code)
{
    size_t len = 0;

    for (; *hex != '\0'; hex++) {
        char digits[3] = {hex[0], hex[1], '\0'};
        if (*hex == ' ')
            continue;
        code[len++] = (uint8_t)strtoul(digits, NULL, 16);
        hex++;
    }
    return len;
}

/* rax is 0x1122334455667788, eflags 0xffffff01; 0x1000 to 0x1fff hold f0 f1 f2... */
static inline void prepare(void)
{
    fake_init(&machine);
    for (unsigned i = 0; i < FAKE_PAGE; i++)
        machine.memory[FAKE_PAGE + i] = (uint8_t)(0xf0 + i);
    machine.absent[2] = true;
    fake_set(&machine, 1, FAKE_RAX, 0x1122334455667788);
    fake_set(&machine, 1, FAKE_EFLAGS, 0xffffff01);
    fake_attach(&machine);
    request("vCont;c");
}

static inline const char *verify(const uint8_t *code, size_t len, enum agent_use use)
{
    static uint8_t marks[CODE];

    return stub_verify_agent(machine.port.arch, code, len, use, marks);
}

#endif
