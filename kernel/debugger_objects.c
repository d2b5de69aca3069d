/*
 * debugger_objects.c - the table of the objects.  Makes each when it is asked for.
 */
#include "debugger_objects.h"

#include "arch/arch.h"
#include "arch/inspect.h"
#include "debugger_core.h"
#include "debugger_maps.h"
#include "debugger_piece.h"
#include "debugger_tables.h"
#include "string.h"
#include "version.h"

/* ---- Files ---- */

static uint64_t core_size(void *ctx, const struct gdbstub_object *object)
{
    (void)object;
    return debugger_core_size(ctx);
}

static size_t read_core(void *ctx, const struct gdbstub_object *object, uint64_t offset, void *buf,
                        size_t len)
{
    (void)object;
    return debugger_core_read(ctx, offset, buf, len);
}

/* Does the module hold this kernel's build id?  The note is near the end of what is loaded, among
 * the constants. */
static bool is_this_kernel(const struct arch_boot_module *module)
{
    uint8_t id[CRASH_BUILD_ID_BYTES], chunk[256];
    size_t id_length = version_build_id(id);
    uint64_t at = module->start;

    if (arch_copy_physical(chunk, at, 4) < 4 || memcmp(chunk, "\177ELF", 4) != 0 || id_length == 0)
        return false;
    for (; at < module->end; at += sizeof(chunk) - id_length) {
        size_t got = arch_copy_physical(chunk, at, sizeof(chunk));
        for (size_t i = 0; i + id_length <= got; i++) {
            if (chunk[i] == id[0] && memcmp(chunk + i, id, id_length) == 0)
                return true;
        }
        if (got < sizeof(chunk))
            return false;
    }
    return false;
}

/* The module that is this kernel's ELF file, or NULL.  Looked for once: modules stay. */
static const struct arch_boot_module *kernel_module(void)
{
    static struct {
        bool looked;
        const struct arch_boot_module *module;
    } found;
    const struct arch_boot_info *boot = arch_boot_info();

    for (size_t i = 0; !found.looked && found.module == NULL && i < boot->module_count; i++) {
        if (is_this_kernel(&boot->modules[i]))
            found.module = &boot->modules[i];
    }
    found.looked = true;
    return found.module;
}

static uint64_t kernel_size(void *ctx, const struct gdbstub_object *object)
{
    const struct arch_boot_module *module = kernel_module();

    (void)ctx;
    (void)object;
    return module == NULL ? UINT64_MAX : module->end - module->start;
}

static size_t read_kernel(void *ctx, const struct gdbstub_object *object, uint64_t offset,
                          void *buf, size_t len)
{
    const struct arch_boot_module *module = kernel_module();
    uint64_t size = kernel_size(ctx, object);

    if (module == NULL || offset >= size)
        return 0;
    return arch_copy_physical(buf, module->start + offset,
                              len < size - offset ? len : (size_t)(size - offset));
}

static size_t read_kernel_name(void *ctx, const struct gdbstub_object *object, uint64_t offset,
                               void *buf, size_t len)
{
    struct debugger_piece piece = debugger_piece_of(offset, buf, len);

    (void)ctx;
    (void)object;
    debugger_piece_text(&piece, "/kernel.elf");
    return debugger_piece_length(&piece);
}

/* ---- Tables ---- */

/* Up to the next tab or the end; *text goes behind it. */
static size_t take_cell(const char **text, const char **cell)
{
    size_t len = 0;

    *cell = *text;
    while ((*text)[len] != '\0' && (*text)[len] != '\t')
        len++;
    *text += len + ((*text)[len] == '\t' ? 1 : 0);
    return len;
}

static void put_row(struct debugger_piece *piece, const char *columns, const char *cells)
{
    const char *column, *cell;

    debugger_piece_text(piece, "<item>");
    while (*columns != '\0') {
        size_t column_len = take_cell(&columns, &column), cell_len = take_cell(&cells, &cell);
        debugger_piece_text(piece, "<column name=\"");
        debugger_piece_put(piece, column, column_len);
        debugger_piece_text(piece, "\">");
        debugger_piece_xml(piece, cell, cell_len);
        debugger_piece_text(piece, "</column>");
    }
    debugger_piece_text(piece, "</item>");
}

static size_t read_table(void *ctx, const struct gdbstub_object *object, uint64_t offset, void *buf,
                         size_t len)
{
    const struct debugger_table *table = debugger_find_table(object->name + sizeof("osdata/") - 1);
    struct debugger_piece piece = debugger_piece_of(offset, buf, len);
    char row[DEBUGGER_ROW_BYTES];

    debugger_piece_text(&piece, "<osdata type=\"");
    debugger_piece_text(&piece, table->name);
    debugger_piece_text(&piece, "\">");
    for (size_t n = 0; !debugger_piece_full(&piece) && table->row(ctx, n, row, sizeof(row)); n++)
        put_row(&piece, table->columns, row);
    debugger_piece_text(&piece, "</osdata>");
    return debugger_piece_length(&piece);
}

/* The first column is the name that is typed, the last one the title. */
static size_t read_table_list(void *ctx, const struct gdbstub_object *object, uint64_t offset,
                              void *buf, size_t len)
{
    struct debugger_piece piece = debugger_piece_of(offset, buf, len);

    (void)ctx;
    (void)object;
    debugger_piece_text(&piece, "<osdata type=\"types\">");
    for (size_t i = 0; i < debugger_table_count; i++) {
        const char *const cells[] = {debugger_tables[i].name, debugger_tables[i].about,
                                     debugger_tables[i].name};
        static const char *const columns[] = {"Type", "Description", "Title"};

        debugger_piece_text(&piece, "<item>");
        for (size_t c = 0; c < 3; c++) {
            debugger_piece_text(&piece, "<column name=\"");
            debugger_piece_text(&piece, columns[c]);
            debugger_piece_text(&piece, "\">");
            debugger_piece_text(&piece, cells[c]);
            debugger_piece_text(&piece, "</column>");
        }
        debugger_piece_text(&piece, "</item>");
    }
    debugger_piece_text(&piece, "</osdata>");
    return debugger_piece_length(&piece);
}

/* Pages by the page tables, names by the map. */
bool debugger_memory_region(void *ctx, gdbstub_thread thread, uint64_t addr,
                            struct gdbstub_range *range)
{
    struct crash_map map;

    (void)ctx;
    (void)thread;
    if (!arch_memory_region(addr, range))
        return false;
    for (size_t n = 0; arch_map_entry(n, &map); n++) {
        if (addr < map.start || addr >= map.end)
            continue;
        memcpy(range->name, map.name, sizeof(range->name));
        range->name[sizeof(range->name) - 1] = '\0';
        return true;
    }
    return true;
}

const struct gdbstub_object debugger_objects[DEBUGGER_OBJECTS] = {
    {"file/core.elf", core_size, read_core},
    {"file/kernel.elf", kernel_size, read_kernel},
    {"file/proc/1/cmdline", NULL, read_kernel_name}, /* with these three, gcore is complete */
    {"file/proc/1/maps", NULL, debugger_maps_read},
    {"file/proc/1/smaps", NULL, debugger_maps_read},
    {"exec-file/", kernel_size, read_kernel_name},
    {"osdata/", NULL, read_table_list},
    {"osdata/threads", NULL, read_table},
    {"osdata/cpus", NULL, read_table},
    {"osdata/irqs", NULL, read_table},
    {"osdata/pages", NULL, read_table},
    {"osdata/modules", NULL, read_table},
    {"osdata/traps", NULL, read_table},
    {"osdata/log", NULL, read_table},
};
