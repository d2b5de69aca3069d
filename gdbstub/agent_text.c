/*
 * agent_text.c - what agent expressions read and write: operands, and text on its way to the
 * kernel's log and to GDB's console.
 */
#include "agent.h"

uint64_t stub_agent_operand(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | *at++;
    return value;
}

void stub_text_end(struct agent_text *text)
{
    const struct gdbstub_port *port = text->stub->port;

    if (text->len == 0)
        return;
    if (port->print != NULL)
        port->print(port->ctx, text->text, text->len);
    gdbstub_print(text->stub, text->text, text->len);
    text->len = 0;
}

void stub_text_char(struct agent_text *text, char c)
{
    if (text->len == sizeof(text->text))
        stub_text_end(text);
    text->text[text->len++] = c;
}

void stub_text_string(struct agent_text *text, const char *string)
{
    while (*string != '\0')
        stub_text_char(text, *string++);
}

void stub_text_hex(struct agent_text *text, uint64_t value)
{
    int shift = 60;

    stub_text_string(text, "0x");
    while (shift > 0 && value >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        stub_text_char(text, stub_hex_digit(value >> shift & 15));
}
