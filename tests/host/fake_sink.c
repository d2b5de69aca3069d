/*
 * fake_sink.c - see fake_sink.h.
 */
#include <string.h>

#include "fake_sink.h"

static bool sink_write(void *ctx, const void *bytes, size_t len)
{
    struct fake_sink *fake = ctx;

    fake->writes_after_refusal += fake->refused;
    if (len > fake->limit - fake->length) {
        fake->refused = true;
        return false;
    }
    memcpy(fake->bytes + fake->length, bytes, len);
    fake->length += len;
    return true;
}

static bool sink_commit(void *ctx)
{
    struct fake_sink *fake = ctx;

    fake->commits++;
    return !fake->commit_fails;
}

void fake_sink_init(struct fake_sink *fake, struct crash_sink *sink)
{
    memset(fake, 0, sizeof *fake);
    fake->limit = sizeof fake->bytes;
    *sink = (struct crash_sink){.ctx = fake, .write = sink_write, .commit = sink_commit};
}

static bool console_print(void *ctx, const char *text, size_t len)
{
    struct fake_console *fake = ctx;

    fake->lines_after_death += fake->lines > fake->limit;
    if (fake->lines++ >= fake->limit)
        return false;
    memcpy(fake->text + fake->length, text, len);
    fake->length += len;
    return true;
}

void fake_console_init(struct fake_console *fake, struct crash_lines *lines)
{
    memset(fake, 0, sizeof *fake);
    fake->limit = UINT32_MAX;
    lines->ctx = fake;
    lines->print = console_print;
}

/* A fault at each unreadable byte: what lies before it is copied. */
static size_t memory_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
    const struct fake_memory *fake = ctx;
    uint8_t *to = buf;
    size_t done = 0;

    if (fake->on_read)
        fake->on_read(addr);
    for (; done < len; done++, addr++) {
        if (addr - fake->start >= fake->length || addr - fake->hole < fake->hole_length)
            break;
        to[done] = fake->bytes[addr - fake->start];
    }
    return done;
}

void fake_memory_init(struct fake_memory *fake, struct crash_source *source)
{
    *source = (struct crash_source){.ctx = fake, .read_memory = memory_read};
}
