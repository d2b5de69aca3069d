/*
 * crash_inject.c - looks a point up among those that were asked for, and fails.
 */
#include "crash_inject.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/provoke.h"
#include "command_line.h"
#include "panic.h"
#include "string.h"

static const char *asked_for; /* in place of the command line's */

static void fail_by_pointer(void)
{
    volatile uint64_t *volatile nowhere = (volatile uint64_t *)(uintptr_t)0xdeadbeefdeadbeef;

    *nowhere = 0;
}

static void fail_by_spinning(void)
{
    for (;;)
        arch_pause();
}

static void fail_by_panic(void)
{
    panic("provoked inside the crash writer");
}

static const struct {
    const char *name;
    void (*fail)(void); /* NULL: refuse */
} kinds[] = {
    {"pointer", fail_by_pointer},
    {"spin", fail_by_spinning},
    {"panic", fail_by_panic},
    {"machine-check", arch_provoke_machine_check},
    {"double-fault", arch_provoke_lost_stack},
    {"refuse", NULL},
};

static bool is_word(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && strncmp(text, word, len) == 0;
}

static bool fail(const char *kind, size_t len)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!is_word(kind, len, kinds[i].name))
            continue;
        if (kinds[i].fail == NULL)
            return true;
        kinds[i].fail();
    }
    return false;
}

static size_t length_before(const char *text, char end)
{
    size_t len = 0;

    while (text[len] != '\0' && text[len] != end && text[len] != ',')
        len++;
    return len;
}

bool crash_inject_point(const char *point)
{
    const char *spec = asked_for != NULL ? asked_for : command_line_value("inject");

    while (spec != NULL && *spec != '\0') {
        size_t name = length_before(spec, ':');
        const char *kind = spec + name + (spec[name] == ':');
        size_t len = length_before(kind, ',');

        if (is_word(spec, name, point) && fail(kind, len))
            return true;
        spec = kind + len + (kind[len] == ',');
    }
    return false;
}

void crash_inject(const char *spec)
{
    asked_for = spec;
}
