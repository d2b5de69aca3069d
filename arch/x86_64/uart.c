/*
 * uart.c - serial lines: 16550 UARTs, polled, without locks (TI PC16550D data sheet).
 *
 * Works in a crash and in the debugger, so it waits for nothing without a limit and leaves nothing
 * half done that a call from a trap could find.  Receives no interrupts of its own: break-in makes
 * a byte's arrival an NMI, which whoever asked for it answers by polling.
 */
#include "arch/arch.h"
#include "instructions.h"
#include "io_apic.h"
#include "smp.h"
#include "uart.h"

enum uart_registers {
    DATA = 0,
    INTERRUPT_ENABLE = 1,
    INTERRUPT_ON_DATA = 1 << 0,

    FIFO_CONTROL = 2, /* written */
    FIFO_ON = 1 << 0,
    FIFO_RESET = 3 << 1,
    FIFO_TRIGGER_14 = 3 << 6, /* QEMU delivers in bursts of this size */

    LINE_CONTROL = 3,
    LINE_8N1 = 3,
    LINE_DIVISOR = 1 << 7, /* registers 0 and 1 are the divisor */

    MODEM_CONTROL = 4,
    MODEM_DTR = 1 << 0,
    MODEM_RTS = 1 << 1,
    MODEM_OUT2 = 1 << 3, /* on a PC: lets the interrupt out */
    MODEM_LOOPBACK = 1 << 4,

    LINE_STATUS = 5,
    STATUS_DATA = 1 << 0,
    STATUS_BREAK = 1 << 4,
    STATUS_ROOM = 1 << 5,  /* the transmit FIFO is empty */
    STATUS_IDLE = 1 << 6,  /* and the shift register too */
    STATUS_NOTHING = 0xff, /* no device drives the bus */

    MODEM_STATUS = 6,
    MODEM_INPUTS = 0xf0,
    MODEM_CTS = 1 << 4,
    MODEM_DCD = 1 << 7,

    SCRATCH = 7,

    FIFO_BYTES = 16,
    SPEED_UNDIVIDED = 115200, /* with the crystal of a PC: 1.8432 MHz */

    /* The patience with a UART that takes nothing, whichever ends first: 16 bytes need 1.4 ms, an
     * emulator whose reader is slow needs more. */
    MAX_WAIT_US = ARCH_LINE_MS * 1000,
    MAX_POLLS = 1 << 22,
};

/* Single bytes are what changes later: whoever a trap interrupts sees the old or the new one. */
static volatile struct line {
    uint16_t base;  /* the first of its ports; 0: nobody has found it */
    uint8_t irq;    /* on the ISA bus; 0: none that is known */
    bool guessed;   /* ... and it may be another */
    unsigned speed; /* 0: as the firmware has left it */
    bool present;
    bool dead;                 /* did not take bytes when it was last asked */
    uint8_t early[FIFO_BYTES]; /* came before the line was set up: read first */
    uint8_t early_count, early_next;
} lines[ARCH_LINES];

static uint8_t read_register(enum arch_line line, unsigned reg)
{
    return inb((uint16_t)(lines[line].base + reg));
}

static void write_register(enum arch_line line, unsigned reg, uint8_t value)
{
    outb((uint16_t)(lines[line].base + reg), value);
}

static bool scratch_holds(uint16_t base, uint8_t value)
{
    outb((uint16_t)(base + SCRATCH), value);
    return inb((uint16_t)(base + SCRATCH)) == value;
}

bool uart_answers(uint16_t base)
{
    return scratch_holds(base, 0x5a) && scratch_holds(base, 0xa5);
}

bool uart_can_do(unsigned speed)
{
    return speed == 0 || (speed <= SPEED_UNDIVIDED && SPEED_UNDIVIDED % speed == 0 &&
                          SPEED_UNDIVIDED / speed <= UINT16_MAX);
}

bool uart_note(const struct uart *uart, enum arch_line *line)
{
    unsigned place = 0;

    while (place < ARCH_LINES && lines[place].base != 0 && lines[place].base != uart->base)
        place++;
    if (place == ARCH_LINES)
        return false;
    *line = (enum arch_line)place;
    if (lines[place].present)
        return true; /* in use: as it was set up */
    lines[place].base = uart->base;
    lines[place].irq = uart->irq;
    lines[place].guessed = uart->guessed;
    lines[place].speed = uart->speed;
    return true;
}

/* In loopback the modem's outputs are its inputs: OUT2 is DCD, RTS is CTS.  Sends nothing, so no
 * byte that is already waiting gets in between. */
static bool loops_back(enum arch_line line)
{
    uint8_t inputs;

    write_register(line, MODEM_CONTROL, MODEM_LOOPBACK | MODEM_OUT2 | MODEM_RTS);
    inputs = read_register(line, MODEM_STATUS) & MODEM_INPUTS;
    write_register(line, MODEM_CONTROL, 0);
    return inputs == (MODEM_DCD | MODEM_CTS);
}

/* Setting up the FIFO empties it: keep what a debugger has sent to a machine that still booted.
 * In loopback nothing more comes in meanwhile. */
static void set_up_fifo(enum arch_line line)
{
    uint8_t count = 0;

    write_register(line, MODEM_CONTROL, MODEM_LOOPBACK);
    while (count < FIFO_BYTES && (read_register(line, LINE_STATUS) & STATUS_DATA) != 0)
        lines[line].early[count++] = read_register(line, DATA);
    write_register(line, FIFO_CONTROL, FIFO_ON | FIFO_RESET | FIFO_TRIGGER_14);
    write_register(line, MODEM_CONTROL, MODEM_DTR | MODEM_RTS | MODEM_OUT2);
    lines[line].early_count = count;
    lines[line].early_next = 0;
}

static void set_speed(enum arch_line line, unsigned speed)
{
    unsigned divisor = speed != 0 ? SPEED_UNDIVIDED / speed : 0;

    if (divisor != 0) {
        write_register(line, LINE_CONTROL, LINE_DIVISOR);
        write_register(line, DATA, divisor & 0xff);
        write_register(line, INTERRUPT_ENABLE, (uint8_t)(divisor >> 8));
    }
    write_register(line, LINE_CONTROL, LINE_8N1);
}

bool arch_line_init(enum arch_line line)
{
    lines[line].present = false;
    if (lines[line].base == 0 || !uart_answers(lines[line].base) || !loops_back(line))
        return false;
    write_register(line, LINE_CONTROL, LINE_8N1); /* the divisor may have been shown */
    write_register(line, INTERRUPT_ENABLE, 0);
    set_speed(line, lines[line].speed);
    set_up_fifo(line);
    lines[line].dead = false;
    lines[line].present = true;
    return true;
}

/* Wait for all bits of `wanted`; a line that is dead gets one chance. */
static bool wait_for_status(enum arch_line line, uint8_t wanted)
{
    struct arch_wait wait = arch_wait_for(MAX_WAIT_US);
    int polls = lines[line].dead ? 1 : MAX_POLLS;
    bool ready;

    do
        ready = (read_register(line, LINE_STATUS) & wanted) == wanted;
    while (!ready && --polls > 0 && arch_wait_on(&wait));
    lines[line].dead = !ready;
    return ready;
}

size_t arch_line_write(enum arch_line line, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    size_t done = 0;

    if (!lines[line].present)
        return 0;
    while (done < len && wait_for_status(line, STATUS_ROOM)) {
        for (int burst = FIFO_BYTES; burst > 0 && done < len; burst--)
            write_register(line, DATA, from[done++]);
    }
    return done;
}

void arch_line_flush(enum arch_line line)
{
    if (lines[line].present)
        wait_for_status(line, STATUS_ROOM | STATUS_IDLE);
}

int arch_line_read(enum arch_line line)
{
    if (!lines[line].present)
        return -1;
    if (lines[line].early_next < lines[line].early_count)
        return lines[line].early[lines[line].early_next++];
    for (int waiting = FIFO_BYTES; waiting > 0; waiting--) {
        uint8_t status = read_register(line, LINE_STATUS);
        uint8_t byte;

        if (!(status & STATUS_DATA) || status == STATUS_NOTHING)
            return -1;
        byte = read_register(line, DATA);
        if (byte != 0 || !(status & STATUS_BREAK)) /* a break condition reads as a zero */
            return byte;
    }
    return -1;
}

bool arch_line_has_byte(enum arch_line line)
{
    uint8_t status;

    if (!lines[line].present)
        return false;
    status = read_register(line, LINE_STATUS);
    return lines[line].early_next < lines[line].early_count ||
           ((status & STATUS_DATA) != 0 && status != STATUS_NOTHING);
}

bool arch_line_break_in(enum arch_line line, bool enable, unsigned cpu)
{
    if (!lines[line].present)
        return false;
    write_register(line, INTERRUPT_ENABLE, 0);
    if (!enable)
        return true;
    if (lines[line].irq == 0 || !io_apic_route(lines[line].irq, smp_apic_id(cpu), IO_APIC_NMI))
        return false;
    write_register(line, INTERRUPT_ENABLE, INTERRUPT_ON_DATA); /* an edge, if bytes are waiting */
    return !lines[line].guessed;
}
