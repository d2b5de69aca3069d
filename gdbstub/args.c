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

static bool take_number(struct args *args, uint64_t *value)
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

#if GDBSTUB_WITH_THREADS
/* A number, or "-1". */
static bool take_id(struct args *args, uint64_t *id)
{
    if (!stub_take_char(args, '-'))
        return take_number(args, id);
    *id = UINT64_MAX;
    return stub_take_char(args, '1');
}

static bool take_thread(struct args *args, gdbstub_thread *thread)
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
#endif

/* A byte in hex.  False if there is none. */
static bool take_hex(struct args *args, uint8_t *byte)
{
    int high = stub_hex_value(*args->at++);
    int low = stub_at_end(args) ? -1 : stub_hex_value(*args->at++);

    if (high < 0 || low < 0)
        return false;
    *byte = (uint8_t)(high << 4 | low);
    return true;
}

static bool take_escaped(struct args *args, uint8_t *byte)
{
    *byte = *args->at++;
    if (*byte != '}')
        return true;
    if (stub_at_end(args))
        return false;
    *byte = *args->at++ ^ 0x20;
    return true;
}

static bool take_rest(struct request *request, bool (*take)(struct args *args, uint8_t *byte))
{
    struct args *args = &request->args;
    uint8_t byte, *out = args->at;

    request->bytes.at = out;
    while (!stub_at_end(args)) {
        if (!take(args, &byte))
            return false;
        *out++ = byte;
    }
    request->bytes.end = out;
    return true;
}

static bool take_one(struct request *request, char wanted, uint64_t **value)
{
    switch (wanted) {
    case '#':
        return take_number(&request->args, (*value)++);
#if GDBSTUB_WITH_THREADS
    case '@':
        return take_thread(&request->args, (*value)++);
#endif
    case '*':
        return take_rest(request, take_hex);
    case '!':
        return take_rest(request, take_escaped);
    case '$':
        return stub_at_end(&request->args);
    default:
        return stub_take_char(&request->args, wanted);
    }
}

bool stub_take(struct request *request, const char *form)
{
    uint64_t *value = request->value;

    while (*form != '\0' && take_one(request, *form, &value))
        form++;
    return *form == '\0';
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

bool stub_is(struct args args, const char *text)
{
    while (*text != '\0' && stub_take_char(&args, *text))
        text++;
    return *text == '\0' && stub_at_end(&args);
}
