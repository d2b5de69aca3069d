/*
 * debugger_port.c - what the stub asks of this kernel, answered.  Decides nothing about when.
 */
#include "debugger_port.h"

#include <stddef.h>

#include "debugger_monitor.h"
#include "debugger_objects.h"

static void port_send(void *ctx, const void *bytes, size_t len)
{
    const struct debugger_machine *machine = ctx;

    (void)arch_line_write(machine->line, bytes, len);
}

static bool port_read_register(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    const struct debugger_machine *machine = ctx;

    return thread == THE_THREAD && arch_register_read(machine->frame, reg, value);
}

static bool port_write_register(void *ctx, gdbstub_thread thread, size_t reg, const void *value)
{
    const struct debugger_machine *machine = ctx;

    return thread == THE_THREAD && arch_register_write(machine->frame, reg, value);
}

static size_t port_read_memory(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                               size_t len)
{
    (void)ctx;
    (void)thread;
    return arch_copy_from(buf, addr, len);
}

static size_t port_write_memory(void *ctx, gdbstub_thread thread, uint64_t addr, const void *buf,
                                size_t len)
{
    (void)ctx;
    (void)thread;
    return arch_patch(addr, buf, len);
}

static const char *port_refuse_breakpoint(void *ctx, uint64_t addr, size_t len)
{
    (void)ctx;
    return arch_refuse_breakpoint(addr, len);
}

static gdbstub_thread port_next_thread(void *ctx, gdbstub_thread thread)
{
    (void)ctx;
    return thread == GDBSTUB_NO_THREAD ? THE_THREAD : GDBSTUB_NO_THREAD;
}

static bool port_thread_info(void *ctx, gdbstub_thread thread, struct gdbstub_thread_info *info)
{
    (void)ctx;
    if (thread != THE_THREAD)
        return false;
    *info = (struct gdbstub_thread_info){.name = "main", .state = "running", .cpu = 0};
    return true;
}

static const char *port_set_resume(void *ctx, gdbstub_thread thread, struct gdbstub_resume how)
{
    struct debugger_machine *machine = ctx;

    if (thread != THE_THREAD)
        return "there is no such thread";
    machine->resume = how;
    return NULL;
}

static enum gdbstub_point_result port_insert_point(void *ctx, enum gdbstub_point kind,
                                                   uint64_t addr, size_t len)
{
    (void)ctx;
    return arch_insert_point(kind, addr, len);
}

static enum gdbstub_point_result port_remove_point(void *ctx, enum gdbstub_point kind,
                                                   uint64_t addr, size_t len)
{
    (void)ctx;
    return arch_remove_point(kind, addr, len);
}

const struct gdbstub_port debugger_port = {
    .arch = &arch_gdb,
    .send = port_send,
    .read_register = port_read_register,
    .write_register = port_write_register,
    .read_memory = port_read_memory,
    .write_memory = port_write_memory,
    .refuse_breakpoint = port_refuse_breakpoint,
    .next_thread = port_next_thread,
    .thread_info = port_thread_info,
    .set_resume = port_set_resume,
    .insert_point = port_insert_point,
    .remove_point = port_remove_point,
    .monitor = debugger_monitor,
    .memory_region = debugger_memory_region,
    .objects = debugger_objects,
    .object_count = DEBUGGER_OBJECTS,
    .can_restart = true,
};
