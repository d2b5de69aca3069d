/*
 * console.c - which serial line is the console, its line ends, and whose turn it is to write.
 *
 * A CPU writes a line with interrupts off, so that nothing comes in between but what cannot be held
 * back: that writes at once, in the middle of the line.
 */
#include "console.h"

#include <stdarg.h>
#include <stdatomic.h>

#include "format.h"
#include "line_option.h"
#include "string.h"

enum console_times {
    PATIENCE_US = 1000000, /* for another CPU's line: an emulator's may be held up */
};

enum console_turns {
    NOBODY = 0,
};

static struct {
    bool on;
    enum arch_line line;
    bool (*shared)(const void *bytes, size_t len); /* console_share(), or NULL */
    atomic_uint writer;                            /* CPU + 1 */
    atomic_bool in_crash;
} console;

/* Where the firmware has its own, if it says so: there somebody is connected. */
void console_init(void)
{
    struct line_choice choice = line_choose("console", "spcr", "com1");

    console.line = choice.line;
    console.on = choice.found && arch_line_init(choice.line);
}

bool console_has(enum arch_line line)
{
    return console.on && console.line == line;
}

bool console_is_on(void)
{
    return console.on;
}

void console_share(bool (*write)(const void *bytes, size_t len))
{
    console.shared = write;
}

bool console_write_raw(const void *bytes, size_t len)
{
    if (console.shared != NULL)
        return console.shared(bytes, len);
    return console.on && arch_line_write(console.line, bytes, len) == len;
}

/* ---- Turns ---- */

struct turn {
    bool taken, interrupts;
};

static bool take_turn(unsigned me)
{
    unsigned writer = NOBODY;

    return atomic_compare_exchange_strong(&console.writer, &writer, me);
}

/* Not taken, and not waited for: by whoever has interrupted this CPU's own line, nor once there is
 * a crash to report. */
static struct turn begin_turn(void)
{
    struct turn turn = {.interrupts = arch_interrupts_disable()};
    unsigned me = arch_cpu_id() + 1;
    struct arch_wait wait = arch_wait_for(PATIENCE_US);

    if (atomic_load(&console.in_crash) || atomic_load(&console.writer) == me)
        return turn;
    while (!(turn.taken = take_turn(me)) && arch_wait_on(&wait))
        ;
    return turn;
}

static void end_turn(struct turn turn)
{
    if (turn.taken)
        atomic_store(&console.writer, NOBODY);
    if (turn.interrupts)
        arch_interrupts_enable();
}

void console_begin_crash(void)
{
    atomic_store(&console.in_crash, true);
}

/* ---- Lines ---- */

/* The bytes of `text` up to and with its first '\n', as far as they can be written at once. */
static size_t line_length(const char *text, size_t len)
{
    size_t most = len < CONSOLE_LINE_BYTES ? len : CONSOLE_LINE_BYTES, i = 0;

    while (i < most && text[i] != '\n')
        i++;
    return i < most ? i + 1 : most;
}

/* Copied first: `text` may be where it cannot be read. */
static bool write_line(const char *text, size_t len)
{
    char line[CONSOLE_LINE_BYTES + 2];
    size_t used = text[len - 1] == '\n' ? len - 1 : len;

    memcpy(line, text, used);
    if (used < len) {
        line[used++] = '\r';
        line[used++] = '\n';
    }
    struct turn turn = begin_turn();
    bool done = console_write_raw(line, used);
    end_turn(turn);
    return done;
}

bool console_write(const char *text, size_t len)
{
    bool done = true;

    while (len > 0 && done) {
        size_t part = line_length(text, len);

        done = write_line(text, part);
        text += part;
        len -= part;
    }
    return done;
}

void console_print(const char *format, ...)
{
    char text[CONSOLE_LINE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    size_t len = format_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    console_write(text, len < sizeof text ? len : sizeof text - 1);
}

int console_read(void)
{
    return console.on && console.shared == NULL ? arch_line_read(console.line) : -1;
}

void console_flush(void)
{
    if (console.on)
        arch_line_flush(console.line);
}
