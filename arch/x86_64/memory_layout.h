/*
 * memory_layout.h - where things are in the kernel's half of the address space.
 *
 *   ffff8000'00000000  direct map: all physical memory, read-write, never executable, and
 *                      read-only where the kernel's text and constants are
 *   ffffff80'00000000  window: stacks, devices and heaps, each with unmapped pages around it
 *   ffffffff'80100000  the kernel's image, loaded at physical 1 MiB
 */
#ifndef ARCH_X86_64_MEMORY_LAYOUT_H
#define ARCH_X86_64_MEMORY_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define DIRECT_MAP  0xffff800000000000u
#define WINDOW      0xffffff8000000000u
#define KERNEL_BASE 0xffffffff80000000u

/* Where the ELF file has the image loaded, and more than it is long. */
#define IMAGE_PHYSICAL 0x100000u
#define IMAGE_LOADED   (1u << 30)

/* Until arch_init_memory(), and at least: what the boot page tables map directly. */
#define BOOT_MAPPED (4ull << 30)

/* The physical address of something in the kernel's image. */
static inline uint64_t image_physical(const void *object)
{
    return (uint64_t)(uintptr_t)object - KERNEL_BASE;
}

/* Where the direct map shows physical memory. */
static inline void *direct(uint64_t physical)
{
    return (void *)(uintptr_t)(DIRECT_MAP + physical);
}

/* Map a device's registers, uncached, for ever.  `physical` need not be page-aligned.  NULL if the
 * window is full. */
volatile void *map_device(uint64_t physical, size_t bytes, const char *name);

#endif
