/*
 * boot_id.h - makes the number that tells this boot from any other (arch_boot_id()).
 */
#ifndef ARCH_X86_64_BOOT_ID_H
#define ARCH_X86_64_BOOT_ID_H

#include <stddef.h>

/* Once; `seed` is anything that may differ between machines and boots. */
void boot_id_init(const void *seed, size_t len);

#endif
