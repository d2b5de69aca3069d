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
        stub_put_text(stub, "xx");
}

/* g */
enum verdict stub_handle_read_all(struct gdbstub *stub, struct args *args)
{
    if (!stub_at_end(args))
        return VERDICT_MALFORMED;
    if (!stub_thread_exists(stub, stub->general))
        return VERDICT_NO_THREAD;
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
enum verdict stub_handle_write_all(struct gdbstub *stub, struct args *args)
{
    uint8_t *data;
    size_t len, offset = 0;
    bool written = true;

    if (!stub_take_bytes(args, &data, &len))
        return VERDICT_MALFORMED;
    if (!covers_whole_registers(stub, len))
        return VERDICT_INVALID;
    if (!stub_thread_exists(stub, stub->general))
        return VERDICT_NO_THREAD;
    for (size_t reg = 0; offset < len; reg++) {
        if (!update_register(stub, reg, data + offset))
            written = false;
        offset += register_size(stub, reg);
    }
    return written ? VERDICT_OK : VERDICT_READ_ONLY;
}

/* A register that is not in the table has no value, if it is GDB that says which there are. */
static enum verdict put_undescribed(struct gdbstub *stub)
{
    if (stub->port->arch->feature_count > 0)
        return VERDICT_INVALID;
    stub_put_text(stub, "xx");
    return VERDICT_REPLY;
}

/* p NUMBER */
enum verdict stub_handle_read_one(struct gdbstub *stub, struct args *args)
{
    uint64_t reg;

    if (!stub_take_number(args, &reg) || !stub_at_end(args))
        return VERDICT_MALFORMED;
    if (reg >= stub->port->arch->register_count)
        return put_undescribed(stub);
    if (!stub_thread_exists(stub, stub->general))
        return VERDICT_NO_THREAD;
    put_register(stub, (size_t)reg);
    return VERDICT_REPLY;
}

/* P NUMBER=VALUE */
enum verdict stub_handle_write_one(struct gdbstub *stub, struct args *args)
{
    uint64_t reg;
    uint8_t *value;
    size_t len;

    if (!stub_take_number(args, &reg) || !stub_take_char(args, '=') ||
        !stub_take_bytes(args, &value, &len))
        return VERDICT_MALFORMED;
    if (reg >= stub->port->arch->register_count || len != register_size(stub, (size_t)reg))
        return VERDICT_INVALID;
    if (!stub_thread_exists(stub, stub->general))
        return VERDICT_NO_THREAD;
    return write_register(stub, (size_t)reg, value) ? VERDICT_OK : VERDICT_READ_ONLY;
}
