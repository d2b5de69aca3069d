/*
 * program.c - finds a program's file by its name, and runs one as the kernel's only purpose.
 */
#include "program.h"

#include "arch/arch.h"
#include "console.h"
#include "debugger.h"
#include "elf.h"
#include "format.h"
#include "frames.h"
#include "log.h"
#include "process.h"
#include "string.h"

enum program_statuses {
    MAX_EMULATOR_STATUS = 127, /* of arch_exit_emulator() */
    STATUS_NOT_STARTED = 1,
};

/* programs.asm */
struct embedded_program {
    const char *name; /* NULL: no more */
    const void *bytes;
    uint64_t size;
};
extern const struct embedded_program program_table[];

/* Is `name` the first word of the text? */
static bool is_first_word(const char *text, const char *name)
{
    size_t len = strlen(name);

    return strncmp(text, name, len) == 0 && (text[len] == '\0' || text[len] == ' ');
}

static bool find_module(const char *name, struct program_file *file)
{
    const struct arch_boot_info *info = arch_boot_info();

    for (size_t i = 0; i < info->module_count; i++) {
        const struct arch_boot_module *module = &info->modules[i];

        if (!is_first_word(module->name, name) || module->start % ARCH_PAGE_BYTES != 0)
            continue;
        *file = (struct program_file){
            .bytes = arch_physical(module->start),
            .size = module->end - module->start,
            .physical = module->start,
        };
        return true;
    }
    return false;
}

bool program_find(const char *name, struct program_file *file)
{
    if (name[0] == '\0')
        return false;
    if (find_module(name, file))
        return true;
    for (const struct embedded_program *at = program_table; at->name != NULL; at++) {
        if (strcmp(at->name, name) != 0)
            continue;
        *file = (struct program_file){at->bytes, at->size, arch_physical_of(at->bytes)};
        return true;
    }
    return false;
}

/* ---- What all instances of a program share ---- */

enum {
    SHARED = 64, /* segments of all programs */
};

static struct {
    struct shared {
        uint64_t start, end;
        const uint8_t *bytes; /* in the file */
    } list[SHARED];
    size_t count;
} shared;

static void list_shared(const struct program_file *file)
{
    static const struct elf_range user_memory = {ARCH_USER_START, ARCH_USER_END};
    struct elf_program program;

    if (elf_read(file->bytes, file->size, user_memory, &program) != NULL)
        return;
    for (size_t i = 0; i < program.segment_count && shared.count < SHARED; i++) {
        const struct elf_segment *segment = &program.segments[i];

        if ((segment->permissions & CRASH_MAP_WRITE) != 0)
            continue;
        shared.list[shared.count++] =
            (struct shared){.start = segment->start,
                            .end = segment->start + segment->file_bytes,
                            .bytes = (const uint8_t *)file->bytes + segment->offset};
    }
}

void programs_init(void)
{
    const struct arch_boot_info *info = arch_boot_info();
    struct program_file file;

    for (size_t i = 0; i < info->module_count; i++) {
        if (find_module(info->modules[i].name, &file))
            list_shared(&file);
    }
    for (const struct embedded_program *at = program_table; at->name != NULL; at++) {
        file = (struct program_file){.bytes = at->bytes, .size = at->size};
        list_shared(&file);
    }
}

ARCH_DEBUGGER_PATH const uint8_t *program_shared(uint64_t address, size_t *len)
{
    for (size_t i = 0; i < shared.count; i++) {
        const struct shared *segment = &shared.list[i];

        if (address < segment->start || address >= segment->end)
            continue;
        *len = (size_t)(segment->end - address);
        return segment->bytes + (address - segment->start);
    }
    return NULL;
}

static void leave(unsigned status)
{
    console_flush();
    debugger_exited((uint8_t)status);
    arch_exit_emulator(status < MAX_EMULATOR_STATUS ? status : MAX_EMULATOR_STATUS);
}

void program_run(const char *spec)
{
    char name[PROCESS_NAME_BYTES];
    const char *argument = spec;
    size_t before = frames_counts().used;
    int64_t id, status;

    while (*argument != '\0' && *argument != ':')
        argument++;
    format_text(name, sizeof name, "%.*s", (int)(argument - spec), spec);
    id = process_start(name, *argument == ':' ? argument + 1 : "", NULL);
    if (id < 0) {
        log_print(LOG_ERROR, "run=user:%s: it cannot be started", spec);
        leave(STATUS_NOT_STARTED);
        return;
    }
    status = process_wait(NULL, (uint32_t)id, NULL);
    log_print(LOG_DEBUG, "program %s: %zu frames in use, before it %zu", name, frames_counts().used,
              before);
    console_print("program %s ended with status %ld\n", name, (long)status);
    leave((unsigned)status);
}
