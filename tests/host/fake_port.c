/*
 * fake_port.c - the machine made of arrays.
 */
#include "fake_port.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Tables ---- */

enum {
    FEATURE_CORE,
    FEATURE_TEST,
};

static const struct gdbstub_feature features[] = {
    [FEATURE_CORE] =
        {
            "org.gnu.gdb.i386.core",
            "<flags id=\"fake_eflags\" size=\"4\"><field name=\"CF\" start=\"0\" end=\"0\"/>"
            "<field name=\"ZF\" start=\"6\" end=\"6\"/></flags>",
        },
    [FEATURE_TEST] = {"org.trapline.test", ""},
};

#define GENERAL(name)                                                                              \
    {                                                                                              \
        name, "int64", "general", 64, FEATURE_CORE                                                 \
    }
#define SEGMENT(name)                                                                              \
    {                                                                                              \
        name, "int32", NULL, 32, FEATURE_CORE                                                      \
    }
#define X87(name)                                                                                  \
    {                                                                                              \
        name, "i387_ext", "float", 80, FEATURE_CORE                                                \
    }
#define X87_CONTROL(name)                                                                          \
    {                                                                                              \
        name, "int", "float", 32, FEATURE_CORE                                                     \
    }

static const struct gdbstub_register registers[FAKE_REGISTERS] = {
    GENERAL("rax"),
    GENERAL("rbx"),
    GENERAL("rcx"),
    GENERAL("rdx"),
    GENERAL("rsi"),
    GENERAL("rdi"),
    {"rbp", "data_ptr", "general", 64, FEATURE_CORE},
    {"rsp", "data_ptr", "general", 64, FEATURE_CORE},
    GENERAL("r8"),
    GENERAL("r9"),
    GENERAL("r10"),
    GENERAL("r11"),
    GENERAL("r12"),
    GENERAL("r13"),
    GENERAL("r14"),
    GENERAL("r15"),
    {"rip", "code_ptr", "general", 64, FEATURE_CORE},
    {"eflags", "fake_eflags", "general", 32, FEATURE_CORE},
    SEGMENT("cs"),
    SEGMENT("ss"),
    SEGMENT("ds"),
    SEGMENT("es"),
    SEGMENT("fs"),
    SEGMENT("gs"),
    X87("st0"),
    X87("st1"),
    X87("st2"),
    X87("st3"),
    X87("st4"),
    X87("st5"),
    X87("st6"),
    X87("st7"),
    X87_CONTROL("fctrl"),
    X87_CONTROL("fstat"),
    X87_CONTROL("ftag"),
    X87_CONTROL("fiseg"),
    X87_CONTROL("fioff"),
    X87_CONTROL("foseg"),
    X87_CONTROL("fooff"),
    X87_CONTROL("fop"),
    {"wide", "uint128", NULL, 128, FEATURE_TEST},
    {"absent", NULL, NULL, 64, FEATURE_TEST},
};

static const uint16_t expedited[] = {FAKE_RBP, FAKE_RSP, FAKE_RIP};
static const uint8_t int3[] = {0xcc};

/* As far as a program in it can look. */
static const struct gdbstub_range addresses[] = {
    {.start = 0, .length = UINT64_C(1) << 47},
    {.start = UINT64_MAX << 47, .length = UINT64_C(1) << 47},
};

static const struct gdbstub_arch arch = {
    .architecture = "i386:x86-64",
    .triple = "x86_64-unknown-none",
    .addresses = addresses,
    .address_count = sizeof(addresses) / sizeof(addresses[0]),
    .osabi = NULL,
    .features = features,
    .feature_count = sizeof(features) / sizeof(features[0]),
    .registers = registers,
    .register_count = FAKE_REGISTERS,
    .pc = FAKE_RIP,
    .g_count = FAKE_GS + 1,
    .expedited = expedited,
    .expedited_count = sizeof(expedited) / sizeof(expedited[0]),
    .breakpoint = int3,
    .breakpoint_size = sizeof(int3),
};

/* ---- The port ---- */

static void port_send(void *ctx, const void *bytes, size_t len)
{
    struct fake_machine *machine = ctx;

    if (len > FAKE_OUTPUT - machine->output_length) {
        fprintf(stderr, "fake_port: the stub sent more than %d bytes\n", FAKE_OUTPUT);
        abort();
    }
    memcpy(machine->output + machine->output_length, bytes, len);
    machine->output_length += len;
}

static bool exists(const struct fake_machine *machine, gdbstub_thread thread)
{
    return thread >= 1 && thread <= machine->threads && thread != machine->dead_thread;
}

static bool port_read_register(void *ctx, gdbstub_thread thread, size_t reg, void *value)
{
    struct fake_machine *machine = ctx;

    if (!exists(machine, thread) || machine->without_value[reg])
        return false;
    memcpy(value, machine->registers[(thread - 1) % FAKE_THREADS][reg], registers[reg].bits / 8);
    return true;
}

static bool port_write_register(void *ctx, gdbstub_thread thread, size_t reg, const void *value)
{
    struct fake_machine *machine = ctx;

    machine->register_writes++;
    if (!exists(machine, thread) || machine->without_value[reg] || machine->constant[reg])
        return false;
    memcpy(machine->registers[(thread - 1) % FAKE_THREADS][reg], value, registers[reg].bits / 8);
    return true;
}

/* The page of an address, or -1. */
static int page_of(uint64_t addr)
{
    if (addr < FAKE_MEMORY)
        return (int)(addr / FAKE_PAGE);
    return addr >= FAKE_TOP_PAGE ? FAKE_PAGES : -1;
}

uint8_t *fake_byte(struct fake_machine *machine, uint64_t addr)
{
    int page = page_of(addr);

    if (page < 0 || machine->absent[page])
        return NULL;
    return &machine->memory[page * FAKE_PAGE + (int)(addr % FAKE_PAGE)];
}

static size_t port_read_memory(void *ctx, gdbstub_thread thread, uint64_t addr, void *buf,
                               size_t len)
{
    struct fake_machine *machine = ctx;
    uint8_t *to = buf;
    size_t done = 0;

    machine->reads++;
    for (; exists(machine, thread) && done < len; done++) {
        const uint8_t *from = fake_byte(machine, addr + done);
        if (from == NULL || addr + done < addr)
            break;
        to[done] = *from;
    }
    return done;
}

static size_t port_write_memory(void *ctx, gdbstub_thread thread, uint64_t addr, const void *buf,
                                size_t len)
{
    struct fake_machine *machine = ctx;
    const uint8_t *from = buf;
    size_t done = 0;

    machine->writes++;
    for (; exists(machine, thread) && done < len; done++) {
        uint8_t *to = fake_byte(machine, addr + done);
        if (to == NULL || addr + done < addr || machine->read_only[page_of(addr + done)])
            break;
        if (!machine->rom[page_of(addr + done)])
            *to = from[done];
    }
    return done;
}

static const char *port_refuse_breakpoint(void *ctx, uint64_t addr, size_t len)
{
    const struct fake_machine *machine = ctx;
    bool refused = addr < machine->refused_to && addr + len > machine->refused_from;

    return refused ? "in the debugger itself" : NULL;
}

static gdbstub_thread port_next_thread(void *ctx, gdbstub_thread thread)
{
    const struct fake_machine *machine = ctx;

    do {
        thread++;
    } while (thread == machine->dead_thread);
    return thread <= machine->threads ? thread : GDBSTUB_NO_THREAD;
}

static bool port_thread_info(void *ctx, gdbstub_thread thread, struct gdbstub_thread_info *info)
{
    if (!exists(ctx, thread))
        return false;
    memset(info, 0, sizeof(*info));
    snprintf(info->name, sizeof(info->name), "thread-%u", (unsigned)thread);
    snprintf(info->state, sizeof(info->state), thread == 1 ? "running" : "sleeping");
    info->cpu = (unsigned)(thread - 1) % FAKE_THREADS;
    return true;
}

static const char *port_set_resume(void *ctx, gdbstub_thread thread, struct gdbstub_resume how)
{
    struct fake_machine *machine = ctx;

    machine->resumes++;
    if (how.action == GDBSTUB_STEP && thread == machine->unsteppable)
        return "not running on a CPU: cannot be stepped";
    machine->resume[thread] = how;
    return NULL;
}

/* As x86: no read-only watchpoints. */
static enum gdbstub_point_result port_insert_point(void *ctx, enum gdbstub_point kind,
                                                   uint64_t addr, size_t len)
{
    struct fake_machine *machine = ctx;

    if (kind == GDBSTUB_POINT_READ)
        return GDBSTUB_POINT_UNSUPPORTED;
    for (size_t i = 0; i < FAKE_POINTS; i++) {
        if (machine->points[i].used)
            continue;
        machine->points[i] = (struct fake_point){kind, addr, len, true};
        return GDBSTUB_POINT_DONE;
    }
    return GDBSTUB_POINT_NONE_FREE;
}

static enum gdbstub_point_result port_remove_point(void *ctx, enum gdbstub_point kind,
                                                   uint64_t addr, size_t len)
{
    struct fake_machine *machine = ctx;

    if (kind == GDBSTUB_POINT_READ)
        return GDBSTUB_POINT_UNSUPPORTED;
    for (size_t i = 0; i < FAKE_POINTS; i++) {
        struct fake_point *point = &machine->points[i];
        if (!point->used || point->kind != kind || point->address != addr || point->length != len)
            continue;
        point->used = false;
        return GDBSTUB_POINT_DONE;
    }
    return GDBSTUB_POINT_NONE_FREE;
}

/* Every instruction has one byte and does nothing. */
static bool port_execute(void *ctx, gdbstub_thread thread, uint64_t addr, const uint8_t *original,
                         size_t len)
{
    struct fake_machine *machine = ctx;

    machine->executions++;
    if (!machine->executes || len != sizeof(int3) || *original == int3[0])
        return false;
    fake_set(machine, thread, FAKE_RIP, addr + 1);
    return true;
}

static void port_print(void *ctx, const char *text, size_t len)
{
    struct fake_machine *machine = ctx;
    size_t used = strlen(machine->log);

    snprintf(machine->log + used, sizeof(machine->log) - used, "%.*s", (int)len, text);
}

/* "hello" greets, "many" prints more than a packet in small pieces, "quiet" prints nothing. */
static bool port_monitor(void *ctx, const char *command, void (*print)(void *to, const char *text),
                         void *to)
{
    (void)ctx;
    if (strcmp(command, "hello") == 0) {
        print(to, "hello ");
        print(to, "there\n");
        return true;
    }
    if (strcmp(command, "many") == 0) {
        for (int i = 0; i < 500; i++)
            print(to, "line\n..");
        return true;
    }
    return strcmp(command, "quiet") == 0;
}

/* A range is as many pages of one kind as there are in a row. */
static bool port_memory_region(void *ctx, gdbstub_thread thread, uint64_t addr,
                               struct gdbstub_range *range)
{
    const struct fake_machine *machine = ctx;
    int page = page_of(addr), first, last;

    (void)thread;
    if (page < 0 || page == FAKE_PAGES)
        return false;
    for (first = page; first > 0 && machine->absent[first - 1] == machine->absent[page];)
        first--;
    for (last = page; last < FAKE_PAGES - 1 && machine->absent[last + 1] == machine->absent[page];)
        last++;
    *range = (struct gdbstub_range){.start = (uint64_t)first * FAKE_PAGE,
                                    .length = (uint64_t)(last - first + 1) * FAKE_PAGE};
    if (machine->absent[page])
        return true;
    range->access = GDBSTUB_READ | GDBSTUB_WRITE | GDBSTUB_EXECUTE;
    snprintf(range->name, sizeof(range->name), "RAM");
    return true;
}

void fake_init(struct fake_machine *machine)
{
    memset(machine, 0, sizeof(*machine));
    machine->port = (struct gdbstub_port){
        .ctx = machine,
        .arch = &arch,
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
        .execute = port_execute,
        .print = port_print,
        .monitor = port_monitor,
        .memory_region = port_memory_region,
        .objects = fake_objects,
        .object_count = FAKE_OBJECTS,
        .can_restart = true,
        .has_syscalls = true,
    };
    machine->threads = FAKE_THREADS;
    machine->absent[0] = true;
    machine->without_value[FAKE_ABSENT] = true;
    gdbstub_init(&machine->stub, &machine->port);
}

uint64_t fake_get(const struct fake_machine *machine, gdbstub_thread thread, size_t reg)
{
    uint64_t value = 0;

    memcpy(&value, machine->registers[(thread - 1) % FAKE_THREADS][reg], sizeof(value));
    return value;
}

void fake_set(struct fake_machine *machine, gdbstub_thread thread, size_t reg, uint64_t value)
{
    memcpy(machine->registers[(thread - 1) % FAKE_THREADS][reg], &value, sizeof(value));
}
