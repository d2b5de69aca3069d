/*
 * registers.c - g G p P: registers of the selected thread, in the order of the port's table.
 *
 * Knows sizes, not meanings.  Values travel in the target's byte order, which is the compiler's:
 * the stub runs on what it debugs.
 */
#include "internal.h"

static size_t register_size(const struct gdbstub *stub, size_t reg)
{
    return stub->port->arch->registers[reg].bits / 8u;
}

static bool read_register(const struct gdbstub *stub, size_t reg, void *value)
{
    return stub->port->read_register(stub->port->ctx, stub->general, reg, value);
}

static bool write_register(const struct gdbstub *stub, size_t reg, const void *value)
{
    return stub->port->write_register(stub->port->ctx, stub->general, reg, value);
}

bool stub_read_pc(const struct gdbstub *stub, gdbstub_thread thread, uint64_t *pc)
{
    const struct gdbstub_port *port = stub->port;
    union stub_value value;

    if (!port->read_register(port->ctx, thread, port->arch->pc, &value))
        return false;
    *pc = stub_integer(&value, register_size(stub, port->arch->pc));
    return true;
}

bool stub_write_pc(const struct gdbstub *stub, gdbstub_thread thread, uint64_t pc)
{
    const struct gdbstub_port *port = stub->port;
    uint32_t narrow = (uint32_t)pc;
    bool is_narrow = register_size(stub, port->arch->pc) == sizeof(narrow);

    return port->write_register(port->ctx, thread, port->arch->pc,
                                is_narrow ? (const void *)&narrow : (const void *)&pc);
}

/* Its value, or an 'x' for each digit if it has none. */
static void put_register(struct gdbstub *stub, size_t reg)
{
    uint8_t value[GDBSTUB_REGISTER_BYTES];
    size_t size = register_size(stub, reg);

    if (read_register(stub, reg, value)) {
        stub_put_bytes(stub, value, size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        stub_put(stub, "xx");
}

/* g */
enum verdict stub_handle_read_all(struct gdbstub *stub, struct request *request)
{
    (void)request;
    for (size_t reg = 0; reg < stub->port->arch->g_count; reg++)
        put_register(stub, reg);
    return VERDICT_REPLY;
}

/* Are `len` bytes the values of whole registers, from the first one on? */
static bool covers_whole_registers(const struct gdbstub *stub, size_t len)
{
    size_t covered = 0;

    for (size_t reg = 0; covered < len && reg < stub->port->arch->g_count; reg++)
        covered += register_size(stub, reg);
    return len > 0 && covered == len;
}

/* Write what differs: most of a G is what g said, and part of that cannot be written. */
static bool update_register(struct gdbstub *stub, size_t reg, const uint8_t *value)
{
    uint8_t current[GDBSTUB_REGISTER_BYTES];

    if (!read_register(stub, reg, current))
        return true; /* GDB was told that it has no value, and sends padding */
    if (memcmp(current, value, register_size(stub, reg)) == 0)
        return true;
    return write_register(stub, reg, value);
}

/* G: a part of a register is an error that changes nothing. */
enum verdict stub_handle_write_all(struct gdbstub *stub, struct request *request)
{
    const uint8_t *value = request->bytes.at;
    bool written = true;

    if (!covers_whole_registers(stub, (size_t)(request->bytes.end - value)))
        return VERDICT_INVALID;
    for (size_t reg = 0; value < request->bytes.end; reg++) {
        if (!update_register(stub, reg, value))
            written = false;
        value += register_size(stub, reg);
    }
    return written ? VERDICT_OK : VERDICT_READ_ONLY;
}

/* Is it a register that only GDB knows, if it is GDB that says which there are?  It has no value,
 * and takes any: GDB writes Linux' orig_rax before it calls a function. */
static bool is_only_gdbs(const struct gdbstub *stub, uint64_t reg)
{
    return reg >= stub->port->arch->register_count && stub->port->arch->feature_count == 0;
}

/* p NUMBER */
enum verdict stub_handle_read_one(struct gdbstub *stub, struct request *request)
{
    uint64_t reg = request->value[0];

    if (is_only_gdbs(stub, reg))
        stub_put(stub, "xx");
    else if (reg >= stub->port->arch->register_count)
        return VERDICT_INVALID;
    else
        put_register(stub, (size_t)reg);
    return VERDICT_REPLY;
}

/* P NUMBER=VALUE */
enum verdict stub_handle_write_one(struct gdbstub *stub, struct request *request)
{
    uint64_t reg = request->value[0];
    const struct args *value = &request->bytes;

    if (is_only_gdbs(stub, reg))
        return VERDICT_OK;
    if (reg >= stub->port->arch->register_count ||
        (size_t)(value->end - value->at) != register_size(stub, (size_t)reg))
        return VERDICT_INVALID;
    return write_register(stub, (size_t)reg, value->at) ? VERDICT_OK : VERDICT_READ_ONLY;
}
