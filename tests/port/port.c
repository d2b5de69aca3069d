/*
 * port.c - what gdbstub/ and crashdump/ ask of a kernel: all of it that is not a driver.
 */
#include "kernel.h"

/* ---- gdbstub's port ---- */

/* The first of GDB's own x86-64 registers; those of the frame, which come first, by place. */
enum { RBP = 6, RSP = 7, RIP = 16, REGISTERS = 24, IN_FRAME = 20 };
static const struct gdbstub_register registers[REGISTERS] = {
    [0 ... RIP] = {.bits = 64},
    [RIP + 1 ... REGISTERS - 1] = {.bits = 32},
};
#define PLACE(name) offsetof(struct frame, name)
static const uint16_t places[IN_FRAME] = {
    PLACE(rax), PLACE(rbx), PLACE(rcx), PLACE(rdx),    PLACE(rsi), PLACE(rdi), PLACE(rbp),
    PLACE(rsp), PLACE(r8),  PLACE(r9),  PLACE(r10),    PLACE(r11), PLACE(r12), PLACE(r13),
    PLACE(r14), PLACE(r15), PLACE(rip), PLACE(eflags), PLACE(cs),  PLACE(ss)};
static const uint8_t conditions[] = {[GDBSTUB_POINT_WRITE] = 1, [GDBSTUB_POINT_ACCESS] = 3};
static const struct gdbstub_arch arch = {
    .architecture = "i386:x86-64",
    .osabi = "none",
    .registers = registers,
    .register_count = REGISTERS,
    .pc = RIP,
    .g_count = REGISTERS,
    .expedited = (const uint16_t[]){RBP, RSP, RIP},
    .expedited_count = 3,
    .breakpoint = (const uint8_t[]){0xcc}, /* int3 */
    .breakpoint_size = 1,
};

struct frame *stopped;
struct gdbstub_resume resume;

DEBUGGER static void port_send(void *ctx, const void *bytes, size_t len)
{
    (void)uart_write(GDB, bytes, len);
}

DEBUGGER static bool port_read_register(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    if (reg < IN_FRAME)
        memcpy(value, (uint8_t *)stopped + places[reg], registers[reg].bits / 8);
    return reg < IN_FRAME;
}

DEBUGGER static bool port_write_register(void *ctx, gdbstub_thread thread, size_t reg,
                                         const void *value)
{
    if (reg < IN_FRAME)
        memcpy((uint8_t *)stopped + places[reg], value, registers[reg].bits / 8);
    return reg < IN_FRAME;
}

DEBUGGER static size_t port_read_memory(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                                        size_t len)
{
    len = mapped(addr, len);
    memcpy(buf, (const void *)addr, len);
    return len;
}

DEBUGGER static size_t port_write_memory(void *ctx, gdbstub_thread thread, uint64_t addr,
                                         const void *buf, size_t len)
{
    len = mapped(addr, len);
    memcpy((void *)addr, buf, len);
    return len;
}

DEBUGGER static const char *port_refuse_breakpoint(void *ctx, uint64_t addr, size_t len)
{
    return is_debugger(addr, len) ? "in the debugger itself" : NULL;
}

DEBUGGER static const char *port_set_resume(void *ctx, gdbstub_thread thread,
                                            struct gdbstub_resume how)
{
    resume = how;
    return NULL;
}

DEBUGGER static enum gdbstub_point_result port_insert_point(void *ctx, enum gdbstub_point kind,
                                                            uint64_t addr, size_t len)
{
    if (kind == GDBSTUB_POINT_READ)
        return GDBSTUB_POINT_UNSUPPORTED;
    return set_point(conditions[kind], addr, len) ? GDBSTUB_POINT_DONE : GDBSTUB_POINT_NONE_FREE;
}

DEBUGGER static enum gdbstub_point_result port_remove_point(void *ctx, enum gdbstub_point kind,
                                                            uint64_t addr, size_t len)
{
    clear_point(conditions[kind], addr, len);
    return GDBSTUB_POINT_DONE;
}

const struct gdbstub_port gdb_port = {
    .arch = &arch,
    .send = port_send,
    .read_register = port_read_register,
    .write_register = port_write_register,
    .read_memory = port_read_memory,
    .write_memory = port_write_memory,
    .refuse_breakpoint = port_refuse_breakpoint,
    .set_resume = port_set_resume,
    .insert_point = port_insert_point,
    .remove_point = port_remove_point,
};

/* ---- crashdump's port ---- */

static size_t source_read_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
    return port_read_memory(ctx, 0, addr, buf, len);
}

static bool print_line(void *ctx, const char *text, size_t len)
{
    return uart_write(CONSOLE, text, len);
}

/* What the record holds: the cause, the registers, the stack. */
void write_record(const struct frame *frame, const struct crash_cause *cause)
{
    static const struct crash_source source = {.read_memory = source_read_memory};
    static struct crash_lines lines = {.print = print_line};
    static struct crash_writer writer;
    struct crash_header header = {.machine = 62, .cpu_count = 1, .sequence = 1};
    struct crash_registers head = {.count = IN_FRAME, .valid = {(UINT64_C(1) << IN_FRAME) - 1}};
    uint64_t stack = frame->rsp & ~UINT64_C(63); /* GDB reads stacks in lines of 64 bytes */
    struct crash_sink sink;

    header.build_id_length = sizeof build_id.id;
    memcpy(header.build_id, build_id.id, sizeof build_id.id);
    crash_lines_init(&lines, &sink, crash_record_id(&header));
    crash_begin(&writer, &sink, &source, &header);
    crash_section(&writer, CRASH_TAG('C', 'A', 'U', 'S'), 0, cause, sizeof *cause);
    crash_section_begin(&writer, CRASH_TAG('R', 'E', 'G', 'S'), 0);
    crash_append(&writer, &head, sizeof head);
    for (size_t i = 0; i < IN_FRAME; i++)
        crash_append(&writer, (const uint8_t *)frame + places[i], sizeof(uint64_t));
    crash_section_end(&writer, false);
    crash_section_begin(&writer, CRASH_TAG('S', 'T', 'A', 'K'), stack);
    crash_append_memory(&writer, stack, (uintptr_t)stack_top - stack);
    crash_section_end(&writer, false);
    crash_end(&writer, 0);
}
