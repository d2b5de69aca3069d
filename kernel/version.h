/*
 * version.h - which kernel this is.
 */
#ifndef KERNEL_VERSION_H
#define KERNEL_VERSION_H

#include <stddef.h>

#include "crashdump/record.h"

#define VERSION_TEXT "Trapline 0.1"

enum version_limits {
    VERSION_BUILD_ID_TEXT = 2 * CRASH_BUILD_ID_BYTES + 1,
};

/* The linker's build id: its bytes (zero-padded), or as hexadecimal text.  Both return how many
 * bytes it has, 0 if the linker made none. */
size_t version_build_id(uint8_t id[CRASH_BUILD_ID_BYTES]);
size_t version_build_id_text(char text[VERSION_BUILD_ID_TEXT]);

#endif
