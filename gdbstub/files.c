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

static bool is_named(const struct gdbstub_object *object, const char *kind, struct args name)
{
    const char *at = object->name;

    for (; *kind != '\0'; kind++, at++) {
        if (*at != *kind)
            return false;
    }
    return stub_is(name, at);
}

static bool exists(const struct gdbstub *stub, const struct gdbstub_object *object, uint64_t *size)
{
    *size = 0;
    if (object->size != NULL)
        *size = object->size(stub->port->ctx, object);
    return *size != UINT64_MAX;
}

const struct gdbstub_object *stub_find_object(const struct gdbstub *stub, const char *kind,
                                              struct args name)
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
    stub_put(stub, "F%x", result);
    return VERDICT_REPLY;
}

static enum verdict put_error(struct gdbstub *stub, enum file_io error)
{
    stub_put(stub, "F-1,%x", (uint64_t)error);
    return VERDICT_REPLY;
}

/* A file name in hex, which ends at ','.  Names are the same with and without a '/' before them. */
static const struct gdbstub_object *take_name(struct gdbstub *stub, struct request *request)
{
    struct request name = {.args = stub_take_item(&request->args, ',')};

    if (!stub_take(&name, "*"))
        return NULL;
    (void)stub_take_char(&name.bytes, '/');
    return stub_find_object(stub, "file/", name.bytes);
}

static const struct gdbstub_object *take_file(struct gdbstub *stub, struct request *request,
                                              uint64_t *size)
{
    const struct gdbstub_object *object = stub->port->objects;

    if (!stub_take(request, "#") || request->value[0] >= stub->port->object_count)
        return NULL;
    object += request->value[0];
    return exists(stub, object, size) ? object : NULL;
}

/* NAME,FLAGS,MODE */
static enum verdict open_file(struct gdbstub *stub, struct request *request)
{
    const struct gdbstub_object *object = take_name(stub, request);

    if (!stub_take(request, "#"))
        return put_error(stub, FILE_INVALID);
    if ((request->value[0] & FILE_WRITE_FLAGS) != 0)
        return put_error(stub, FILE_READ_ONLY);
    if (object == NULL)
        return put_error(stub, FILE_NOT_FOUND);
    return put_result(stub, (uint64_t)(object - stub->port->objects));
}

/* NUMBER,COUNT,OFFSET: how many bytes, and the bytes, with room for their number before them. */
static enum verdict read_file(struct gdbstub *stub, struct request *request)
{
    enum { COUNT_DIGITS = 4 };
    uint64_t size;
    const struct gdbstub_object *object = take_file(stub, request, &size);
    bool more;

    if (object == NULL)
        return put_error(stub, FILE_BAD_NUMBER);
    if (!stub_take(request, ",#,#"))
        return put_error(stub, FILE_INVALID);
    stub_put(stub, "F0000;");
    uint64_t done = stub_put_object(stub, object, request->value[1], request->value[0], &more);
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
static enum verdict file_status(struct gdbstub *stub, struct request *request)
{
    uint64_t size;

    if (take_file(stub, request, &size) == NULL)
        return put_error(stub, FILE_BAD_NUMBER);
    return put_status(stub, size);
}

/* NAME */
static enum verdict name_status(struct gdbstub *stub, struct request *request)
{
    const struct gdbstub_object *object = take_name(stub, request);
    uint64_t size;

    if (object == NULL)
        return put_error(stub, FILE_NOT_FOUND);
    (void)exists(stub, object, &size);
    return put_status(stub, size);
}

static enum verdict close_file(struct gdbstub *stub, struct request *request)
{
    (void)request;
    return put_result(stub, 0);
}

static enum verdict refuse_write(struct gdbstub *stub, struct request *request)
{
    (void)request;
    return put_error(stub, FILE_READ_ONLY);
}

static const struct {
    const char *name;
    enum verdict (*handle)(struct gdbstub *stub, struct request *request);
} operations[] = {
    {"setfs", close_file}, /* there is one file system */
    {"open", open_file},      {"pread", read_file},     {"fstat", file_status},
    {"stat", name_status},    {"lstat", name_status},   {"close", close_file},
    {"pwrite", refuse_write}, {"unlink", refuse_write},
};

/* vFile:OPERATION:... */
enum verdict stub_handle_file(struct gdbstub *stub, struct request *request)
{
    struct args operation = stub_take_item(&request->args, ':');

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (stub_is(operation, operations[i].name))
            return operations[i].handle(stub, request);
    }
    return VERDICT_UNKNOWN;
}
