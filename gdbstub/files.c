/*
 * files.c - the port's read-only objects: as files (vFile), and as what qXfer fetches.
 *
 * Opens nothing: a file's number is its place in the port's table, so there is nothing to run out
 * of, to forget or to close.  Refuses to write, to delete and to list.
 */
#include "internal.h"

/* Error numbers and modes of GDB's host I/O (gdb/fileio.h). */
enum file_io {
    FILE_NOT_FOUND = 2,
    FILE_BAD_NUMBER = 9,
    FILE_INVALID = 22,
    FILE_READ_ONLY = 30,
    FILE_WRITE_FLAGS = 3, /* O_WRONLY, O_RDWR */
    FILE_MODE = 0100444,  /* a regular file that anybody may read */
};

enum {
    CHUNK = 256, /* bytes read at once; on the stack */
    /* struct stat of GDB's host I/O: big-endian fields one after the other */
    STAT_BYTES = 64,
    STAT_MODE_END = 12,
    STAT_LINKS_END = 16,
    STAT_SIZE_END = 36,
};

static bool is_named(const struct gdbstub_object *object, const char *kind, const struct args *name)
{
    const char *at = object->name;

    for (; *kind != '\0'; kind++, at++) {
        if (*at != *kind)
            return false;
    }
    for (const uint8_t *c = name->at; c < name->end; c++, at++) {
        if (*at == '\0' || (uint8_t)*at != *c)
            return false;
    }
    return *at == '\0';
}

static bool exists(const struct gdbstub *stub, const struct gdbstub_object *object, uint64_t *size)
{
    *size = 0;
    if (object->size != NULL)
        *size = object->size(stub->port->ctx, object);
    return *size != UINT64_MAX;
}

const struct gdbstub_object *stub_find_object(const struct gdbstub *stub, const char *kind,
                                              struct args *name)
{
    const struct gdbstub_port *port = stub->port;
    uint64_t size;

    for (size_t i = 0; i < port->object_count; i++) {
        if (is_named(&port->objects[i], kind, name) && exists(stub, &port->objects[i], &size))
            return &port->objects[i];
    }
    return NULL;
}

uint64_t stub_put_object(struct gdbstub *stub, const struct gdbstub_object *object, uint64_t offset,
                         uint64_t len, bool *more)
{
    uint8_t data[CHUNK];
    uint64_t done = 0;
    size_t got = CHUNK;

    *more = true;
    while (done < len && got == CHUNK) {
        size_t wanted = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
        got = object->read(stub->port->ctx, object, offset + done, data, wanted);
        *more = got == wanted;
        for (size_t i = 0; i < got; i++, done++) {
            if (stub_put_binary(stub, data[i]))
                continue;
            *more = true;
            return done;
        }
    }
    return done;
}

static enum verdict put_result(struct gdbstub *stub, uint64_t result)
{
    stub_put_char(stub, 'F');
    stub_put_number(stub, result);
    return VERDICT_REPLY;
}

static enum verdict put_error(struct gdbstub *stub, enum file_io error)
{
    stub_put_text(stub, "F-1,");
    stub_put_number(stub, error);
    return VERDICT_REPLY;
}

/* A file name in hex, which ends at ','.  Names are the same with and without a '/' before them. */
static const struct gdbstub_object *take_name(struct gdbstub *stub, struct args *args)
{
    struct args item = stub_take_item(args, ',');
    uint8_t *name;
    size_t len;

    if (!stub_take_bytes(&item, &name, &len))
        return NULL;
    struct args text = {name, name + len};
    (void)stub_take_char(&text, '/');
    return stub_find_object(stub, "file/", &text);
}

static const struct gdbstub_object *take_file(struct gdbstub *stub, struct args *args,
                                              uint64_t *size)
{
    uint64_t number;

    if (!stub_take_number(args, &number) || number >= stub->port->object_count ||
        !exists(stub, &stub->port->objects[number], size))
        return NULL;
    return &stub->port->objects[number];
}

/* NAME,FLAGS,MODE */
static enum verdict open_file(struct gdbstub *stub, struct args *args)
{
    const struct gdbstub_object *object = take_name(stub, args);
    uint64_t flags;

    if (!stub_take_number(args, &flags))
        return put_error(stub, FILE_INVALID);
    if ((flags & FILE_WRITE_FLAGS) != 0)
        return put_error(stub, FILE_READ_ONLY);
    if (object == NULL)
        return put_error(stub, FILE_NOT_FOUND);
    return put_result(stub, (uint64_t)(object - stub->port->objects));
}

/* NUMBER,COUNT,OFFSET: how many bytes, and the bytes, with room for their number before them. */
static enum verdict read_file(struct gdbstub *stub, struct args *args)
{
    enum { COUNT_DIGITS = 4 };
    uint64_t size, count, offset;
    const struct gdbstub_object *object = take_file(stub, args, &size);
    bool more;

    if (object == NULL)
        return put_error(stub, FILE_BAD_NUMBER);
    if (!stub_take_char(args, ',') || !stub_take_range(args, &count, &offset))
        return put_error(stub, FILE_INVALID);
    stub_put_text(stub, "F0000;");
    uint64_t done = stub_put_object(stub, object, offset, count, &more);
    for (unsigned i = 0; i < COUNT_DIGITS; i++)
        stub->out[2 + i] = (uint8_t)stub_hex_digit(done >> (12 - 4 * i) & 15);
    return VERDICT_REPLY;
}

static void store(uint8_t *end, uint64_t value)
{
    for (; value > 0; value >>= 8)
        *--end = (uint8_t)value;
}

static enum verdict put_status(struct gdbstub *stub, uint64_t size)
{
    uint8_t status[STAT_BYTES] = {0};

    store(status + STAT_MODE_END, FILE_MODE);
    store(status + STAT_LINKS_END, 1);
    store(status + STAT_SIZE_END, size);
    put_result(stub, sizeof(status));
    stub_put_char(stub, ';');
    for (size_t i = 0; i < sizeof(status); i++)
        (void)stub_put_binary(stub, status[i]);
    return VERDICT_REPLY;
}

/* NUMBER */
static enum verdict file_status(struct gdbstub *stub, struct args *args)
{
    uint64_t size;

    if (take_file(stub, args, &size) == NULL)
        return put_error(stub, FILE_BAD_NUMBER);
    return put_status(stub, size);
}

/* NAME */
static enum verdict name_status(struct gdbstub *stub, struct args *args)
{
    const struct gdbstub_object *object = take_name(stub, args);
    uint64_t size;

    if (object == NULL)
        return put_error(stub, FILE_NOT_FOUND);
    (void)exists(stub, object, &size);
    return put_status(stub, size);
}

static enum verdict close_file(struct gdbstub *stub, struct args *args)
{
    (void)args;
    return put_result(stub, 0);
}

static enum verdict refuse_write(struct gdbstub *stub, struct args *args)
{
    (void)args;
    return put_error(stub, FILE_READ_ONLY);
}

static const struct {
    const char *name;
    enum verdict (*handle)(struct gdbstub *stub, struct args *args);
} operations[] = {
    {"setfs", close_file}, /* there is one file system */
    {"open", open_file},      {"pread", read_file},     {"fstat", file_status},
    {"stat", name_status},    {"lstat", name_status},   {"close", close_file},
    {"pwrite", refuse_write}, {"unlink", refuse_write},
};

/* vFile:OPERATION:... */
enum verdict stub_handle_file(struct gdbstub *stub, struct args *args)
{
    if (!stub_take_char(args, ':'))
        return VERDICT_MALFORMED;
    struct args operation = stub_take_item(args, ':');
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        struct args name = operation;
        if (stub_take_text(&name, operations[i].name) && stub_at_end(&name))
            return operations[i].handle(stub, args);
    }
    return VERDICT_UNKNOWN;
}
