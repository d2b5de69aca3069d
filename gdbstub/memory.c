/*
 * memory.c - m x M X: memory as the selected thread sees it, never with a planted breakpoint in it.
 */
#include "internal.h"

enum {
    CHUNK = 256, /* bytes read at once; on the stack */
};

/* Cut a range off at the end of the address space. */
static uint64_t clip(uint64_t addr, uint64_t len)
{
    uint64_t last = UINT64_MAX - addr; /* offset of the last byte there is */

    return len > 0 && len - 1 > last ? last + 1 : len;
}

/* Read up to CHUNK bytes, and show the program's own bytes where breakpoints are planted. */
static size_t read_chunk(const struct gdbstub *stub, uint64_t addr, uint8_t *data, uint64_t len)
{
    const struct gdbstub_port *port = stub->port;
    size_t wanted = len < CHUNK ? (size_t)len : CHUNK;
    size_t got = port->read_memory(port->ctx, stub->general, addr, data, wanted);

    stub_hide_breakpoints(stub, addr, data, got);
    return got;
}

/* Write one chunk to the reply; returns how many bytes of it fitted. */
typedef size_t put_chunk(struct gdbstub *stub, const uint8_t *data, size_t len);

