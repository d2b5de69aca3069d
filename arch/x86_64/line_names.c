/*
 * line_names.c - where the serial line is that a name means.
 *
 * Asks the firmware's tables and the PCI bus, and touches no more of a UART than tells that it is
 * one.  Knows no UART whose registers are in memory.
 */
#include "acpi.h"
#include "arch/arch.h"
#include "memory_layout.h"
#include "pci.h"
#include "uart.h"

enum line_numbers {
    SPEED_USUAL = 115200,
    DIGITS_MOST = 9,

    CLASS_SERIAL = 0x0700, /* simple communications, serial controller */
    PCI_FUNCTIONS_MOST = 16,
    INTERRUPT_LINE = 0x3c, /* in the configuration space: as the firmware has routed it */
    INTERRUPT_LINE_LAST = 15,
};

/* ---- By how they are called ---- */

static const struct {
    const char *name;
    struct uart uart;
} fixed[] = {
    {"com1", {0x3f8, 4, false, SPEED_USUAL}},
    {"com2", {0x2f8, 3, false, SPEED_USUAL}},
    {"com3", {0x3e8, 4, false, SPEED_USUAL}},
    {"com4", {0x2e8, 3, false, SPEED_USUAL}},
};

/* Move *text behind `word`, if it begins with it. */
static bool take(const char **text, const char *word)
{
    size_t len = __builtin_strlen(word);
    bool same = true;

    for (size_t i = 0; i < len && same; i++)
        same = (*text)[i] == word[i];
    if (same)
        *text += len;
    return same;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : UINT16_MAX;
}

static bool take_number(const char **text, unsigned base, unsigned *number)
{
    unsigned digits = 0;

    *number = 0;
    while (digits < DIGITS_MOST && digit_value(**text) < base) {
        *number = *number * base + digit_value(*(*text)++);
        digits++;
    }
    return digits > 0;
}

static enum arch_line_answer find_fixed(const char **name, struct uart *uart)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (take(name, fixed[i].name)) {
            *uart = fixed[i].uart;
            return ARCH_LINE_FOUND;
        }
    }
    return ARCH_LINE_UNKNOWN;
}

/* 0xPORT: one of the above if it is there, so that it has its interrupt. */
static enum arch_line_answer find_port(const char **name, struct uart *uart)
{
    unsigned port;

    if (!take(name, "0x") || !take_number(name, 16, &port) || port == 0 ||
        port > UINT16_MAX - UART_PORTS + 1)
        return ARCH_LINE_UNKNOWN;
    *uart = (struct uart){(uint16_t)port, 0, false, SPEED_USUAL};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (fixed[i].uart.base == port)
            *uart = fixed[i].uart;
    }
    return ARCH_LINE_FOUND;
}

static enum arch_line_answer find_spcr(const char **name, struct uart *uart)
{
    const struct physical_memory memory = {direct(0), BOOT_MAPPED};
    struct acpi_spcr spcr;

    if (!take(name, "spcr"))
        return ARCH_LINE_UNKNOWN;
    if (!acpi_read_spcr(&memory, arch_boot_info()->acpi_root, &spcr) || !uart_answers(spcr.port))
        return ARCH_LINE_ABSENT;
    *uart = (struct uart){spcr.port, spcr.irq, false, spcr.speed};
    return ARCH_LINE_FOUND;
}

/* ---- PCI: a card has one UART a base address register, or several in one ----
 *
 * The firmware says which input of the 8259s a card has.  The IOAPIC's input may be another, which
 * only ACPI's bytecode tells. */

/* Of the UARTs that the function has, the n-th; *n becomes less by those before it. */
static bool find_on_function(const struct pci_function *function, unsigned *n, struct uart *uart)
{
    unsigned irq = pci_read(function, INTERRUPT_LINE) & 0xff;
    uint32_t bytes, base;

    pci_enable(function, PCI_PORTS);
    for (unsigned bar = 0; pci_ports_bar(function, bar, &base, &bytes); bar++) {
        for (uint32_t at = base; base != 0 && at + UART_PORTS <= base + bytes; at += UART_PORTS) {
            if (at > UINT16_MAX || !uart_answers((uint16_t)at) || (*n)-- != 0)
                continue;
            *uart = (struct uart){(uint16_t)at, irq <= INTERRUPT_LINE_LAST ? (uint8_t)irq : 0, true,
                                  SPEED_USUAL};
            return true;
        }
    }
    return false;
}

static enum arch_line_answer find_pci(const char **name, struct uart *uart)
{
    struct pci_function function;
    unsigned n;

    if (!take(name, "pci") || !take_number(name, 10, &n))
        return ARCH_LINE_UNKNOWN;
    for (unsigned i = 0; i < PCI_FUNCTIONS_MOST && pci_find_class(CLASS_SERIAL, i, &function);
         i++) {
        if (find_on_function(&function, &n, uart))
            return ARCH_LINE_FOUND;
    }
    return ARCH_LINE_ABSENT;
}

static enum arch_line_answer (*const finders[])(const char **name, struct uart *uart) = {
    find_fixed,
    find_port,
    find_spcr,
    find_pci,
};

static enum arch_line_answer find(const char **name, struct uart *uart)
{
    enum arch_line_answer answer = ARCH_LINE_UNKNOWN;

    for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]) && answer == ARCH_LINE_UNKNOWN; i++)
        answer = finders[i](name, uart);
    return answer;
}

enum arch_line_answer arch_find_line(const char *name, enum arch_line *line)
{
    struct uart uart = {.base = 0};
    enum arch_line_answer answer = find(&name, &uart);
    bool speed = answer != ARCH_LINE_UNKNOWN && take(&name, ",");

    if (answer == ARCH_LINE_UNKNOWN || (speed && !take_number(&name, 10, &uart.speed)) ||
        *name != '\0' || (speed && uart.speed == 0) || !uart_can_do(uart.speed))
        return ARCH_LINE_UNKNOWN;
    if (answer == ARCH_LINE_FOUND && !uart_note(&uart, line))
        return ARCH_LINE_ABSENT;
    return answer;
}
