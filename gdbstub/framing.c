/*
 * framing.c - bytes from the wire into requests: '$', data, '#', two digits of checksum.  Decides
 * nothing: what an acknowledgement or a request means is session.c's.
 */
#include "internal.h"

enum framing {
    FRAMING_OUTSIDE,
    FRAMING_DATA,
    FRAMING_HIGH_DIGIT,
    FRAMING_LOW_DIGIT,
};

static void begin(struct gdbstub *stub)
{
    stub->framing = FRAMING_DATA;
    stub->in_length = 0;
    stub->checksum = 0;
    stub->expected = 0;
    stub->checksum_broken = false;
    stub->oversize = false;
}

static enum frame outside(uint8_t byte)
{
    if (byte == STUB_INTERRUPT)
        return FRAME_INTERRUPT;
    if (byte == '\r' || byte == '\n')
        return FRAME_LINE_END;
    if (byte == '+')
        return FRAME_ACK;
    return byte == '-' ? FRAME_NAK : FRAME_NONE;
}

static void data(struct gdbstub *stub, uint8_t byte)
{
    if (byte == '#') {
        stub->framing = FRAMING_HIGH_DIGIT;
        return;
    }
    stub->checksum = (uint8_t)(stub->checksum + byte);
    if (stub->in_length < GDBSTUB_PACKET_SIZE)
        stub->in[stub->in_length++] = byte;
    else
        stub->oversize = true;
}

static void checksum_digit(struct gdbstub *stub, uint8_t byte)
{
    int value = stub_hex_value(byte);

    if (value < 0)
        stub->checksum_broken = true;
    else
        stub->expected = (uint8_t)(stub->expected << 4 | value);
}

enum frame stub_receive_frame(struct gdbstub *stub, uint8_t byte)
{
    /* Data never holds a bare '$': a packet whose end was lost ends where the next begins. */
    if (byte == '$') {
        begin(stub);
        return FRAME_NONE;
    }
    switch ((enum framing)stub->framing) {
    case FRAMING_OUTSIDE:
        return outside(byte);
    case FRAMING_DATA:
        data(stub, byte);
        return FRAME_NONE;
    case FRAMING_HIGH_DIGIT:
        checksum_digit(stub, byte);
        stub->framing = FRAMING_LOW_DIGIT;
        return FRAME_NONE;
    case FRAMING_LOW_DIGIT:
        break;
    }
    checksum_digit(stub, byte);
    stub->framing = FRAMING_OUTSIDE;
    return stub->checksum_broken || stub->checksum != stub->expected ? FRAME_DAMAGED
                                                                     : FRAME_REQUEST;
}
