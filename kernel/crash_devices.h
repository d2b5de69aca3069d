/*
 * crash_devices.h - the memory, the disk and the line that this machine has for crash records.
 *
 * Decides nothing about which record goes where.  Takes no lock, waits for a bounded time.
 */
#ifndef KERNEL_CRASH_DEVICES_H
#define KERNEL_CRASH_DEVICES_H

#include "crashdump/crashdump.h"
#include "crashdump/ram.h"

/* Look for a disk, and say in the log whether it can be used. */
void crash_device_init_disk(void);

/* Make the sink write a record with that id.  False if there is no such device, or it cannot be
 * used. */
bool crash_device_open_memory(struct crash_sink *sink, uint32_t record_id);
bool crash_device_open_disk(struct crash_sink *sink, uint32_t record_id);
bool crash_device_open_line(struct crash_sink *sink, uint32_t record_id);

/* What memory has kept, and the slot that was opened last; NULL if there is no such memory. */
const struct crash_ram *crash_device_memory(void);

/* Memory that the devices work in, n-th; false past the last. */
bool crash_device_memory_range(size_t n, uint64_t *start, uint64_t *end);

#endif
