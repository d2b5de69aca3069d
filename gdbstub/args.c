/*
 * args.c - take a packet's arguments apart, from left to right.  Never looks past the packet's end,
 * and judges syntax only: whether an address or a thread exists is for others to say.
 */
#include "internal.h"

bool stub_at_end(const struct args *args)
{
    return args->at == args->end;
}

bool stub_take_char(struct args *args, char wanted)
{
    if (stub_at_end(args) || *args->at != (uint8_t)wanted)
        return false;
    args->at++;
    return true;
}

bool stub_take_text(struct args *args, const char *wanted)
{
    for (; *wanted != '\0'; wanted++) {
        if (!stub_take_char(args, *wanted))
            return false;
    }
    return true;
}

bool stub_take_number(struct args *args, uint64_t *value)
{
    uint64_t number = 0;
    uint8_t *start = args->at;

    while (!stub_at_end(args)) {
        int digit = stub_hex_value(*args->at);
        if (digit < 0)
            break;
        if (number >> 60 != 0)
            return false;
        number = number << 4 | (uint64_t)digit;
        args->at++;
    }
    *value = number;
    return args->at != start;
}

bool stub_take_range(struct args *args, uint64_t *addr, uint64_t *len)
{
    return stub_take_number(args, addr) && stub_take_char(args, ',') && stub_take_number(args, len);
}

/* A number, or "-1". */
static bool take_id(struct args *args, uint64_t *id)
{
    if (!stub_take_char(args, '-'))
        return stub_take_number(args, id);
    *id = UINT64_MAX;
    return stub_take_char(args, '1');
}

bool stub_take_thread(struct args *args, gdbstub_thread *thread)
{
    uint64_t process;

    if (!stub_take_char(args, 'p'))
        return take_id(args, thread);
    if (!take_id(args, &process))
        return false;
    if (process != STUB_PROCESS_ID && process != 0 && process != UINT64_MAX)
        return false;
    if (stub_take_char(args, '.'))
        return take_id(args, thread);
    *thread = STUB_ALL_THREADS;
    return true;
}

struct args stub_take_item(struct args *args, char separator)
{
    struct args item = {args->at, args->at};

    while (!stub_at_end(args) && *args->at != (uint8_t)separator)
        args->at++;
    item.end = args->at;
    stub_take_char(args, separator);
    return item;
}

bool stub_take_bytes(struct args *args, uint8_t **data, size_t *len)
{
    uint8_t *out = args->at;

    *data = out;
    while (!stub_at_end(args)) {
        int high = stub_hex_value(*args->at++);
        int low = stub_at_end(args) ? -1 : stub_hex_value(*args->at++);
        if (high < 0 || low < 0)
            return false;
        *out++ = (uint8_t)(high << 4 | low);
    }
    *len = (size_t)(out - *data);
    return true;
}

bool stub_take_binary(struct args *args, uint8_t **data, size_t *len)
{
    uint8_t *out = args->at;

    *data = out;
    while (!stub_at_end(args)) {
        uint8_t byte = *args->at++;
        if (byte == '}') {
            if (stub_at_end(args))
                return false;
            byte = *args->at++ ^ 0x20;
        }
        *out++ = byte;
    }
    *len = (size_t)(out - *data);
    return true;
}
