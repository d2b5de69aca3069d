/*
 * version.c - the build id, found where the linker left it.
 */
#include "version.h"

#include "format.h"
#include "string.h"

/* The section .note.gnu.build-id: see the linker script. */
extern const char __build_id_start[], __build_id_end[];

enum {
    NOTE_HEADER_BYTES = 16, /* three words and the owner's name, "GNU" */
};

size_t version_build_id(uint8_t id[CRASH_BUILD_ID_BYTES])
{
    size_t note = (size_t)((uintptr_t)__build_id_end - (uintptr_t)__build_id_start);
    size_t len = note > NOTE_HEADER_BYTES ? note - NOTE_HEADER_BYTES : 0;

    if (len > CRASH_BUILD_ID_BYTES)
        len = CRASH_BUILD_ID_BYTES;
    memset(id, 0, CRASH_BUILD_ID_BYTES);
    memcpy(id, __build_id_start + NOTE_HEADER_BYTES, len);
    return len;
}

size_t version_build_id_text(char text[VERSION_BUILD_ID_TEXT])
{
    uint8_t id[CRASH_BUILD_ID_BYTES];
    size_t len = version_build_id(id);

    format_hex(text, id, len);
    return len;
}
