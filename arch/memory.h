/*
 * memory.h - the part of the contract (arch.h) that is about memory: address spaces, page frames,
 * mappings, copies that do not fault.
 */
#ifndef ARCH_MEMORY_H
#define ARCH_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crashdump/record.h"

/* ---- Address spaces of user programs: the kernel's half is the same in all ---- */

#define ARCH_USER_START 0x0000000000010000u /* page 0 and some more are never mapped */
#define ARCH_USER_END   0x00007ffffffff000u

/* A space is named by the physical address of its root table. */
uint64_t arch_kernel_space(void);
uint64_t arch_space_current(void); /* anywhere */

/* Translate by it on this CPU from now on; a switch of threads (arch_switch) does the same. */
void arch_space_load(uint64_t space);

/* An empty space; 0 if memory is short.  Destroying gives its tables back, not what is mapped; no
 * CPU may have it loaded. */
uint64_t arch_space_create(void);
void arch_space_destroy(uint64_t space);

/* Map the page at user address `address` to a frame, replacing what was there.  `permissions`:
 * enum crash_map_permissions.  False if memory is short.  Other CPUs' translations are the
 * caller's matter. */
bool arch_space_map(uint64_t space, uint64_t address, uint64_t frame, unsigned permissions);
void arch_space_unmap(uint64_t space, uint64_t address);

/* What is mapped there: the frame, and its permissions if not NULL; 0: nothing.  Anywhere. */
uint64_t arch_space_find(uint64_t space, uint64_t address, unsigned *permissions);

/* As arch_walk(), arch_copy_from() and arch_patch(), with the user half of that space. */
void arch_space_walk(uint64_t space, uint64_t address, struct crash_walk *walk);
size_t arch_space_read(uint64_t space, void *to, uint64_t address, size_t len);
size_t arch_space_patch(uint64_t space, uint64_t address, const void *from, size_t len);

/* Forget this CPU's translation of one page, or all of the user half. */
void arch_flush_page(uint64_t address);
void arch_flush_space(void);

/* ---- Physical memory ---- */

/* The n-th range that boot has left free, whole pages; false past the last.  Boot order: after
 * arch_init_memory() the kernel makes all of these its own, before anything else is mapped, and
 * ends with arch_use_frames(): from there on the architecture takes its page frames from the
 * kernel, zeroed; take() returns 0 if there are none. */
bool arch_free_memory(size_t n, uint64_t *start, uint64_t *end);
void arch_use_frames(uint64_t (*take)(void), void (*give)(uint64_t frame));

/* Where physical memory can be read and written by the kernel. */
void *arch_physical(uint64_t physical);

/* The physical address of something in the kernel's image. */
uint64_t arch_physical_of(const void *object);

/* Leave the emulator with `code` (0..127) as its guest's status; returns where there is no
 * emulator that offers a way out.  Anywhere. */
void arch_exit_emulator(unsigned code);

/* Tell an emulator that wants to know (pvpanic) that its guest has crashed; it may stop the machine
 * at once.  Anywhere. */
void arch_tell_emulator_of_crash(void);

/* Microseconds since boot, monotonic; 0 before arch_init_time().  Anywhere. */
uint64_t arch_time_us(void);

/* A wait for somebody else, of so many microseconds in which this CPU itself runs: while a host
 * holds up a machine as a whole, nobody has the time. */
struct arch_wait {
    uint64_t looked_us, left_us;
};
struct arch_wait arch_wait_for(uint64_t limit_us);

/* Pause between two looks.  False when the time is over. */
bool arch_wait_on(struct arch_wait *wait);

/* 16 bytes that differ from boot to boot.  Anywhere. */
void arch_boot_id(uint8_t id[CRASH_BOOT_ID_BYTES]);

/* ---- Memory ---- */

enum arch_page {
    ARCH_PAGE_BYTES = 4096,
};

/* Pages for ever, zeroed and mapped read-write in a range of their own with an unmapped page on
 * either side; `name` and `kind` (enum crash_map_kind) show in the memory map.  NULL if memory is
 * short.  One call at a time of this and arch_reserve_pages(). */
void *arch_map_pages(size_t bytes, enum crash_map_kind kind, const char *name);

/* The same, but there is nothing mapped until arch_back_pages() puts zeroed pages under
 * [start, start + bytes), whole pages, of such a range; false if memory is short: then it may be
 * asked again.  Backing: any CPU at any time, each range one at a time. */
void *arch_reserve_pages(size_t bytes, enum crash_map_kind kind, const char *name);
bool arch_back_pages(void *start, size_t bytes);

/* Copy without faulting, whatever the address: the bytes copied before the first that cannot be
 * reached, as nothing of a user program's can.  Anywhere. */
size_t arch_copy(void *to, const void *from, size_t len);

/* The same for a debugger: reaches user memory, too, in the current space; writes also reach
 * read-only memory, through a window that is writable only while it is used. */
size_t arch_copy_from(void *to, uint64_t from, size_t len);
size_t arch_patch(uint64_t to, const void *from, size_t len);

/* Memory that outlives a reset and that nothing else is given: whatever a boot before has left
 * there.  NULL if there is none on this machine.  From kernel_main() on, anywhere. */
void *arch_surviving_memory(size_t *bytes);

/* See to it that a range is in memory, and not in a cache that a reset empties.  Anywhere. */
void arch_flush_memory(const void *start, size_t len);

/* Where the kernel sees physical memory. */
uint64_t arch_direct_address(uint64_t physical);

/* Walk the current page tables for `address`; never faults.  Anywhere. */
void arch_walk(uint64_t address, struct crash_walk *walk);

/* The n-th range of the kernel's address space (sections, stacks, guards, windows), for records and
 * people; where two overlap, the first says what it is.  False past the last.  `captured` is left
 * to the caller.  Anywhere. */
bool arch_map_entry(size_t n, struct crash_map *entry);

/* The stack that holds `address`: its bounds, its name.  False if none does.  Anywhere. */
struct arch_stack {
    uint64_t bottom, top; /* [bottom, top); the guard page is below bottom */
    const char *name;
};
bool arch_find_stack(uint64_t address, struct arch_stack *stack);

/* Is this the address of kernel code? */
bool arch_is_text(uint64_t address);

/* Of a function that is on the way to the debugger, or that it calls, in a file that is not its
 * own: no breakpoint may stand there. */
#define ARCH_DEBUGGER_PATH __attribute__((section(".text.debugger")))

/* Must no breakpoint stand there?  NULL if it may, else why not. */
const char *arch_refuse_breakpoint(uint64_t address, size_t len);

#endif
