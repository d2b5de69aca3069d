/*
 * fake_objects.c - what can be fetched from the fake machine.
 */
#include "fake_port.h"

#include <string.h>

/* "counting" is FAKE_FILE bytes, each the low byte of its offset; "gone" does not exist. */
static uint64_t file_size(void *ctx, const struct gdbstub_object *object)
{
    (void)ctx;
    return strcmp(object->name, "file/gone") == 0 ? UINT64_MAX : FAKE_FILE;
}

static size_t read_counting(void *ctx, const struct gdbstub_object *object, uint64_t offset,
                            void *buf, size_t len)
{
    (void)ctx;
    (void)object;
    if (offset >= FAKE_FILE)
        return 0;
    if (len > FAKE_FILE - offset)
        len = (size_t)(FAKE_FILE - offset);
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)(offset + i);
    return len;
}

static size_t read_text(void *ctx, const struct gdbstub_object *object, uint64_t offset, void *buf,
                        size_t len)
{
    static const char path[] = "/counting";
    static const char table[] = "<osdata type=\"types\"><item><column name=\"Type\">none</column>"
                                "</item></osdata>";
    const char *text = strcmp(object->name, "osdata/") == 0 ? table : path;
    size_t size = strlen(text);

    (void)ctx;
    if (offset >= size)
        return 0;
    if (len > size - offset)
        len = (size_t)(size - offset);
    memcpy(buf, text + offset, len);
    return len;
}

const struct gdbstub_object fake_objects[FAKE_OBJECTS] = {
    {"file/gone", file_size, read_counting},
    {"file/counting", file_size, read_counting},
    {"exec-file/", NULL, read_text},
    {"osdata/", NULL, read_text},
};
