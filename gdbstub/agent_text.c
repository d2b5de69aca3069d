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

static void put(void *to, char c)
{
    stub_text_char(to, c);
}

void stub_text_put(struct agent_text *text, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    stub_format(put, text, format, values);
    va_end(values);
}
