/*
 * app.c - run a program that was linked into the kernel, as app.h promises.
 */
#include "app.h"

#include <stddef.h>
#include <stdint.h>

#include "app_run.h"
#include "arch/arch.h"
#include "console.h"
#include "debugger.h"
#include "panic.h"

/* What the program defines: at least one of them, or there is no program. */
int main(int argc, char **argv) __attribute__((weak));
void kapp_start(void) __attribute__((weak));

#define STACK_BYTES (1ul << 20)
#define HEAP_BYTES  (16ul << 20)

enum {
    MAX_EMULATOR_STATUS = 127, /* of arch_exit_emulator(): larger ones stay failures */
    MAX_DEBUGGER_STATUS = 255, /* of GDB's W reply */
};

static void *heap;

bool app_present(void)
{
    return main != NULL || kapp_start != NULL;
}

static void start(void *argument)
{
    char name[] = "app", *argv[] = {name, NULL}; /* on its stack, as programs have them */

    (void)argument;
    arch_interrupts_enable();
    if (kapp_start == NULL)
        kapp_exit(main(1, argv));
    kapp_start();
    kapp_exit(0);
}

static void *map(size_t bytes, enum crash_map_kind kind, const char *name)
{
    void *pages = arch_map_pages(bytes, kind, name);

    if (pages == NULL)
        panic("no memory for the %s: it needs %zu MiB", name, bytes >> 20);
    return pages;
}

_Noreturn void app_run(void)
{
    unsigned char *stack = map(STACK_BYTES, CRASH_MAP_STACK, "app stack");

    heap = map(HEAP_BYTES, CRASH_MAP_HEAP, "app heap");
    arch_run_on_stack(stack + STACK_BYTES, start, NULL);
}

void kapp_putc(int c)
{
    uint8_t byte = (uint8_t)c;

    console_write_raw(&byte, 1);
}

int kapp_getc(void)
{
    int byte;

    while ((byte = console_read()) < 0)
        arch_pause();
    return byte;
}

/* `code` if it can be told as it is, else the largest that can. */
static unsigned clamp_status(int code, unsigned max)
{
    return (unsigned)code <= max ? (unsigned)code : max;
}

void kapp_exit(int code)
{
    console_print("application exited with status %d\n", code);
    console_flush();
    debugger_exited((uint8_t)clamp_status(code, MAX_DEBUGGER_STATUS));
    arch_exit_emulator(clamp_status(code, MAX_EMULATOR_STATUS));
    arch_halt();
}

long kapp_ticks(void)
{
    return (long)arch_time_us();
}

void *kapp_heap(unsigned long *size)
{
    *size = HEAP_BYTES;
    return heap;
}
