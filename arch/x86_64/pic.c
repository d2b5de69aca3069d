/*
 * pic.c - the 8259s (Intel 8259A data sheet): for machines without APICs, and to silence them on
 * all others.
 */
#include "pic.h"

#include "instructions.h"

enum pic_numbers {
    MASTER = 0x20, /* ports */
    SLAVE = 0xa0,
    DATA = 1, /* added to the port */

    INITIALISE = 0x11,      /* ICW1: edge, cascade, ICW4 follows */
    MODE_8086 = 0x01,       /* ICW4 */
    END = 0x20,             /* OCW2: of the highest in service */
    SHOW_IN_SERVICE = 0x0b, /* OCW3: the next read of the port */

    LINES = 8, /* of each */
    CASCADE_LINE = 2,
    MASK_ALL = 0xff,
};

static void init(uint16_t port, uint8_t vector, uint8_t cascade)
{
    outb(port, INITIALISE);
    outb(port + DATA, vector);
    outb(port + DATA, cascade);
    outb(port + DATA, MODE_8086);
    outb(port + DATA, MASK_ALL);
}

void pic_init(uint8_t vector)
{
    init(MASTER, vector, 1 << CASCADE_LINE);
    init(SLAVE, (uint8_t)(vector + LINES), CASCADE_LINE);
}

static uint16_t port_of(unsigned line)
{
    return line < LINES ? MASTER : SLAVE;
}

static void unmask_in(uint16_t port, unsigned line)
{
    outb(port + DATA, (uint8_t)(inb(port + DATA) & ~(1u << line)));
}

void pic_unmask(unsigned line)
{
    unmask_in(port_of(line), line % LINES);
    if (line >= LINES)
        unmask_in(MASTER, CASCADE_LINE);
}

bool pic_in_service(unsigned line)
{
    uint16_t port = port_of(line);

    outb(port, SHOW_IN_SERVICE);
    return (inb(port) >> line % LINES & 1) != 0;
}

/* The master has even a spurious interrupt of the slave in service. */
void pic_done(unsigned line)
{
    if (pic_in_service(line))
        outb(port_of(line), END);
    if (line >= LINES && pic_in_service(CASCADE_LINE))
        outb(MASTER, END);
}
