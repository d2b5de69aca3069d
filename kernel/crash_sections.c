/*
 * crash_sections.c - gather the sections of a crash record, one function each.
 *
 * Runs after the kernel has failed, under crash_try(): see crash_record.c.
 */
#include "crash_sections.h"

#include "arch/arch.h"
#include "backtrace.h"
#include "crash_memory.h"
#include "crash_stack.h"
#include "crash_threads.h"
#include "format.h"
#include "log.h"
#include "thread.h"
#include "string.h"
#include "version.h"

enum {
    CODE_BEFORE = 43, /* bytes kept before the pc ... */
    CODE_BYTES = 64,  /* ... and in all */
    INNER_STACK_BYTES = 12 * 1024,
    OUTER_STACK_BYTES = 4 * 1024,
    LOG_BYTES = 8 * 1024,
    REGISTERS = 128,
};

/* What trap.h calls by these numbers, records do, too. */
_Static_assert((int)TRAP_INTERRUPT == CRASH_KIND_INTERRUPT && (int)TRAP_NMI == CRASH_KIND_NMI &&
                   (int)TRAP_BREAKPOINT == CRASH_KIND_BREAKPOINT &&
                   (int)TRAP_DEBUG == CRASH_KIND_DEBUG &&
                   (int)TRAP_ARITHMETIC == CRASH_KIND_ARITHMETIC &&
                   (int)TRAP_INSTRUCTION == CRASH_KIND_INSTRUCTION &&
                   (int)TRAP_PAGE_FAULT == CRASH_KIND_PAGE_FAULT &&
                   (int)TRAP_PROTECTION == CRASH_KIND_PROTECTION &&
                   (int)TRAP_MACHINE == CRASH_KIND_MACHINE &&
                   (int)TRAP_DOUBLE == CRASH_KIND_DOUBLE && (int)TRAP_PANIC == CRASH_KIND_PANIC &&
                   (int)TRAP_SYSCALL == CRASH_KIND_SYSCALL && TRAP_KINDS == CRASH_KIND_SYSCALL + 1,
               "kinds");
_Static_assert((int)TRAP_ACCESS_PRESENT == CRASH_ACCESS_PRESENT &&
                   (int)TRAP_ACCESS_WRITE == CRASH_ACCESS_WRITE &&
                   (int)TRAP_ACCESS_USER == CRASH_ACCESS_USER &&
                   (int)TRAP_ACCESS_RESERVED == CRASH_ACCESS_RESERVED &&
                   (int)TRAP_ACCESS_EXECUTE == CRASH_ACCESS_EXECUTE &&
                   (int)TRAP_ACCESS_OTHER == CRASH_ACCESS_OTHER,
               "accesses");
_Static_assert((int)TRAP_FROM_KERNEL == CRASH_FROM_KERNEL && (int)TRAP_FROM_USER == CRASH_FROM_USER,
               "origins");

static void gather_cause(struct crash_writer *writer, const struct crash_scene *scene)
{
    const struct trap *trap = scene->trap;
    const struct thread *thread = thread_current();
    struct crash_cause cause = {
        .kind = trap->kind,
        .vector = trap->vector,
        .error = trap->error,
        .pc = trap->pc,
        .address = trap->address,
        .access = trap->access,
        .origin = trap->origin,
        .cpu = trap->cpu,
        .nesting = scene->nesting,
        .thread = thread == NULL ? 0 : thread->id,
        .uptime_us = scene->began_us,
    };

    format_text(cause.name, sizeof cause.name, "%s", trap->name);
    if (thread != NULL)
        format_text(cause.thread_name, sizeof cause.thread_name, "%s", thread->name);
    if (trap->message != NULL)
        format_text(cause.text, sizeof cause.text, "%s", trap->message);
    crash_append(writer, &cause, sizeof cause);
}

static void gather_registers(struct crash_writer *writer, const struct crash_scene *scene)
{
    static uint64_t values[REGISTERS];
    struct crash_registers registers = {.cpu = scene->trap->cpu};

    registers.count =
        (uint32_t)arch_record_registers(scene->trap->frame, values, REGISTERS, registers.valid);
    crash_append(writer, &registers, sizeof registers);
    crash_append(writer, values, registers.count * sizeof values[0]);
}

static uint64_t code_address(const struct crash_scene *scene)
{
    return scene->trap->pc - CODE_BEFORE;
}

static void gather_code(struct crash_writer *writer, const struct crash_scene *scene)
{
    struct crash_code code = {.pc_offset = CODE_BEFORE, .length = CODE_BYTES};
    uint8_t bytes[CODE_BYTES] = {0};

    for (unsigned i = 0; i < CODE_BYTES; i++) {
        if (arch_copy_from(&bytes[i], code_address(scene) + i, 1) == 1)
            code.valid |= UINT64_C(1) << i;
    }
    crash_append(writer, &code, sizeof code);
    crash_append(writer, bytes, sizeof bytes);
}

static void append_walk(struct crash_writer *writer, enum crash_walk_purpose purpose,
                        uint64_t address)
{
    struct crash_walk walk = {0};

    arch_walk(address, &walk);
    walk.purpose = purpose;
    crash_append(writer, &walk, sizeof walk);
}

static void gather_walks(struct crash_writer *writer, const struct crash_scene *scene)
{
    const struct trap *trap = scene->trap;

    if (trap->kind == TRAP_PAGE_FAULT)
        append_walk(writer, CRASH_WALK_ADDRESS, trap->address);
    append_walk(writer, CRASH_WALK_PC, trap->pc);
    append_walk(writer, CRASH_WALK_STACK, arch_frame_sp(trap->frame));
}

static void gather_backtrace(struct crash_writer *writer, const struct crash_scene *scene)
{
    struct backtrace walk;
    struct crash_frame frame;

    backtrace_begin(&walk, scene->trap->frame);
    while (backtrace_next(&walk, &frame))
        crash_append(writer, &frame, sizeof frame);
}

static uint64_t stack_address(const struct crash_scene *scene)
{
    return crash_find_stack(scene->trap->frame).start;
}

/* Of a deep stack, both ends: what failed, and who began it. */
static void gather_stack(struct crash_writer *writer, const struct crash_scene *scene)
{
    struct crash_stack used = crash_find_stack(scene->trap->frame);

    if (used.end - used.start <= INNER_STACK_BYTES + OUTER_STACK_BYTES) {
        crash_append_memory(writer, used.start, used.end - used.start);
        return;
    }
    crash_append_memory(writer, used.start, INNER_STACK_BYTES);
    crash_append_memory(writer, used.end - OUTER_STACK_BYTES, OUTER_STACK_BYTES);
}

/* The stack that the crashed one was entered from: that of a debugger or of an NMI is short, and
 * what it interrupted says why.  Empty if the backtrace stays where it began. */
static struct crash_stack outer_stack(const struct crash_scene *scene)
{
    struct backtrace walk;
    struct crash_frame frame;
    struct arch_stack inner, stack;

    if (!arch_find_stack(crash_find_stack(scene->trap->frame).start, &inner))
        return (struct crash_stack){0, 0};
    backtrace_begin(&walk, scene->trap->frame);
    while (backtrace_next(&walk, &frame)) {
        if (frame.frame != 0 && arch_find_stack(frame.frame, &stack) && stack.top != inner.top)
            return (struct crash_stack){frame.frame, stack.top};
    }
    return (struct crash_stack){0, 0};
}

static bool has_outer_stack(const struct crash_scene *scene)
{
    return outer_stack(scene).start != 0;
}

static uint64_t outer_stack_address(const struct crash_scene *scene)
{
    return outer_stack(scene).start;
}

static void gather_outer_stack(struct crash_writer *writer, const struct crash_scene *scene)
{
    struct crash_stack used = outer_stack(scene);
    uint64_t len = used.end - used.start;

    crash_append_memory(writer, used.start, len < OUTER_STACK_BYTES ? len : OUTER_STACK_BYTES);
}

static size_t logged_bytes(const struct log_entry *entry)
{
    return sizeof(struct crash_log_entry) + (entry->length + 7u) / 8 * 8;
}

/* The oldest message of those that fit into LOG_BYTES. */
static uint64_t first_logged(uint64_t next)
{
    struct log_entry entry;
    uint64_t first = next;

    for (size_t used = 0; first > log_oldest(); first--) {
        if (log_read(first - 1, &entry))
            used += logged_bytes(&entry);
        if (used > LOG_BYTES)
            break;
    }
    return first;
}

static void gather_log(struct crash_writer *writer, const struct crash_scene *scene)
{
    uint64_t next = log_next();
    struct log_entry entry;

    (void)scene;
    for (uint64_t n = first_logged(next); n < next; n++) {
        if (!log_read(n, &entry))
            continue;
        struct crash_log_entry head = {
            .sequence = n,
            .time_us = entry.time_us,
            .level = entry.level,
            .length = entry.length,
            .cpu = entry.cpu,
        };
        size_t padded = logged_bytes(&entry) - sizeof head;

        memset(entry.text + entry.length, 0, padded - entry.length);
        crash_append(writer, &head, sizeof head);
        crash_append(writer, entry.text, padded);
    }
}

static void annotate(struct crash_writer *writer, const char *key, const char *value)
{
    crash_append(writer, key, strlen(key));
    crash_append(writer, "=", 1);
    crash_append(writer, value, strlen(value));
    crash_append(writer, "\n", 1);
}

static void annotate_number(struct crash_writer *writer, const char *key, uint64_t value)
{
    char text[24];

    format_text(text, sizeof text, "%lu", value);
    annotate(writer, key, text);
}

static void gather_annotations(struct crash_writer *writer, const struct crash_scene *scene)
{
    const struct arch_boot_info *boot = arch_boot_info();
    uint8_t boot_id[CRASH_BOOT_ID_BYTES];
    char text[VERSION_BUILD_ID_TEXT]; /* the longer one */

    annotate(writer, "version", VERSION_TEXT);
    version_build_id_text(text);
    annotate(writer, "build_id", text);
    arch_boot_id(boot_id);
    format_hex(text, boot_id, sizeof boot_id);
    annotate(writer, "boot_id", text);
    annotate(writer, "loader", boot->loader);
    annotate(writer, "command_line", boot->command_line);
    annotate(writer, "cause", scene->trap->name);
    annotate_number(writer, "uptime_us", scene->began_us);
    annotate_number(writer, "log_lost", log_lost());
}

static bool any_nested(const struct crash_scene *scene)
{
    return scene->nested_count > 0;
}

static void gather_nested(struct crash_writer *writer, const struct crash_scene *scene)
{
    crash_append(writer, scene->nested, scene->nested_count * sizeof scene->nested[0]);
}

const struct crash_part crash_parts[] = {
    {CRASH_TAG('C', 'A', 'U', 'S'), true, NULL, NULL, gather_cause},
    {CRASH_TAG('R', 'E', 'G', 'S'), true, NULL, NULL, gather_registers},
    {CRASH_TAG('C', 'O', 'D', 'E'), false, NULL, code_address, gather_code},
    {CRASH_TAG('P', 'T', 'W', 'K'), false, NULL, NULL, gather_walks},
    {CRASH_TAG('B', 'T', 'R', 'C'), false, NULL, NULL, gather_backtrace},
    {CRASH_TAG('S', 'T', 'A', 'K'), false, NULL, stack_address, gather_stack},
    {CRASH_TAG('S', 'T', 'A', 'K'), false, has_outer_stack, outer_stack_address,
     gather_outer_stack},
    {CRASH_TAG('C', 'P', 'U', 'S'), false, NULL, NULL, crash_gather_cpus},
    {CRASH_TAG('L', 'O', 'C', 'K'), false, NULL, NULL, crash_gather_locks},
    {CRASH_TAG('T', 'H', 'R', 'D'), false, NULL, NULL, crash_gather_threads},
    {CRASH_TAG('T', 'S', 'T', 'K'), false, NULL, NULL, crash_gather_thread_stacks},
    {CRASH_TAG('F', 'L', 'I', 'T'), false, NULL, NULL, crash_gather_flight},
    {CRASH_TAG('L', 'O', 'G', 'R'), false, NULL, NULL, gather_log},
    {CRASH_TAG('M', 'A', 'P', 'S'), false, NULL, NULL, crash_gather_maps},
    {CRASH_TAG('M', 'E', 'M', 'R'), false, crash_wants_memory, NULL, crash_gather_memory},
    {CRASH_TAG('A', 'N', 'N', 'O'), false, NULL, NULL, gather_annotations},
    {CRASH_TAG('T', 'E', 'X', 'T'), false, NULL, NULL, crash_gather_text},
    {CRASH_TAG('N', 'E', 'S', 'T'), true, any_nested, NULL, gather_nested},
};

const size_t crash_part_count = sizeof crash_parts / sizeof crash_parts[0];
