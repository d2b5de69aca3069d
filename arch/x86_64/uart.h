/*
 * uart.h - 16550 UARTs at ports, for whoever finds out where they are.
 */
#ifndef ARCH_X86_64_UART_H
#define ARCH_X86_64_UART_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"

enum uart_limits {
    UART_PORTS = 8,
};

struct uart {
    uint16_t base;  /* the first of its ports */
    uint8_t irq;    /* on the ISA bus; 0: none that is known */
    bool guessed;   /* the interrupt may go elsewhere */
    unsigned speed; /* bits a second; 0: leave it as it is */
};

/* Is a UART there?  Disturbs nothing that it is doing. */
bool uart_answers(uint16_t base);

/* Can a UART do that many bits a second? */
bool uart_can_do(unsigned speed);

/* This UART's line, whichever name it was found by.  False if there are too many. */
bool uart_note(const struct uart *uart, enum arch_line *line);

#endif
