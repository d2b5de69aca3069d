/*
 * crash_devices.c - the memory, the disk and the line that this machine has for crash records.
 *
 * Opens each anew for every record, and believes nothing of what was known about it before but
 * where it is.
 */
#include "crash_devices.h"

#include "arch/arch.h"
#include "console.h"
#include "crash_guard.h"
#include "crashdump/disk.h"
#include "log.h"

static struct {
    struct crash_ram ram;
    struct crash_disk disk;
    struct crash_lines lines;
    enum crash_disk_state disk_state;
    bool has_disk;
} devices;

/* ---- Memory ---- */

static void flush_memory(void *ctx, const void *start, size_t len)
{
    (void)ctx;
    arch_flush_memory(start, len);
}

const struct crash_ram *crash_device_memory(void)
{
    devices.ram.flush = flush_memory;
    devices.ram.window = arch_surviving_memory(&devices.ram.size);
    return devices.ram.window != NULL ? &devices.ram : NULL;
}

bool crash_device_open_memory(struct crash_sink *inner, uint32_t record_id)
{
    (void)record_id;
    if (crash_device_memory() == NULL)
        return false;
    crash_ram_init(&devices.ram, inner);
    return true;
}

/* ---- The disk ---- */

static bool read_blocks(void *ctx, uint64_t block, void *bytes, size_t len)
{
    (void)ctx;
    crash_progress_for(ARCH_DISK_MS);
    return arch_disk_read(block, bytes, len);
}

static bool write_blocks(void *ctx, uint64_t block, const void *bytes, size_t len)
{
    (void)ctx;
    crash_progress_for(ARCH_DISK_MS);
    return arch_disk_write(block, bytes, len);
}

static enum crash_disk_state look_at_disk(void)
{
    devices.disk.read = read_blocks;
    devices.disk.write = write_blocks;
    devices.disk.blocks = arch_disk_blocks();
    return crash_disk_open(&devices.disk);
}

bool crash_device_open_disk(struct crash_sink *inner, uint32_t record_id)
{
    (void)record_id;
    if (!devices.has_disk || devices.disk_state != CRASH_DISK_READY || !arch_disk_restart() ||
        look_at_disk() != CRASH_DISK_READY)
        return false;
    crash_disk_init(&devices.disk, inner);
    return true;
}

void crash_device_init_disk(void)
{
    static const char *const words[] = {
        [CRASH_DISK_FULL] = "is full",
        [CRASH_DISK_FOREIGN] = "is neither blank nor labelled for crash records",
        [CRASH_DISK_DEAD] = "cannot be read",
    };

    devices.has_disk = arch_disk_init();
    if (!devices.has_disk)
        return;
    devices.disk_state = look_at_disk();
    if (devices.disk_state == CRASH_DISK_READY)
        log_print(LOG_NOTICE, "crash: the disk holds %u records, block %lu of %lu is next",
                  crash_disk_records(&devices.disk), devices.disk.next, devices.disk.blocks);
    else
        log_print(LOG_WARNING, "crash: the disk is not used: it %s", words[devices.disk_state]);
}

/* ---- The console's line ---- */

static bool put_line(void *ctx, const char *text, size_t len)
{
    (void)ctx;
    crash_progress_for(ARCH_LINE_MS);
    return console_write_raw(text, len);
}

bool crash_device_open_line(struct crash_sink *inner, uint32_t record_id)
{
    devices.lines.print = put_line;
    crash_lines_init(&devices.lines, inner, record_id);
    return console_is_on();
}

bool crash_device_memory_range(size_t n, uint64_t *start, uint64_t *end)
{
    *start = (uint64_t)(uintptr_t)&devices;
    *end = *start + sizeof devices;
    return n == 0;
}
