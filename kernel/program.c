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

bool program_at(size_t n, struct program_file *file)
{
    size_t i = 0;

    while (i < n && program_table[i].name != NULL)
        i++;
    if (program_table[i].name == NULL)
        return false;
    *file = (struct program_file){program_table[i].bytes, program_table[i].size,
                                  arch_physical_of(program_table[i].bytes)};
    return true;
}

bool program_find(const char *name, struct program_file *file)
{
    if (name[0] == '\0')
        return false;
    if (find_module(name, file))
        return true;
    for (size_t i = 0; program_at(i, file); i++) {
        if (strcmp(program_table[i].name, name) == 0)
            return true;
    }
    return false;
}

/* What process_start() has returned, in words. */
static const char *words_of(int64_t error)
{
    static const char *const words[] = {
#define ERROR(number, name, text) [number] = (text),
#include "errors.def"
#undef ERROR
    };

    return words[-error];
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
        log_print(LOG_ERROR, "run=user:%s: %s", spec, words_of(id));
        leave(STATUS_NOT_STARTED);
        return;
    }
    status = process_wait(NULL, (uint32_t)id, NULL);
    log_print(LOG_DEBUG, "program %s: %zu frames in use, before it %zu", name, frames_counts().used,
              before);
    console_print("program %s ended with status %ld\n", name, (long)status);
    leave((unsigned)status);
}
