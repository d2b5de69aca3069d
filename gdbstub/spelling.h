/*
 * spelling.h - how requests and replies are spelled: digits, forms, formats.  Not for ports.
 */
#ifndef GDBSTUB_SPELLING_H
#define GDBSTUB_SPELLING_H

#include <stdarg.h>

#include "gdbstub.h"

/* hex.c */

/* The value of a hex digit of either case, or -1. */
int stub_hex_value(uint8_t digit);
/* The lower-case digit of a value below 16. */
char stub_hex_digit(unsigned value);
/* Is it one of these characters? */
bool stub_is_one_of(char c, const char *characters);

/*
 * args.c: a cursor over what is left of a request.
 *
 * What can be there is said by a form.  In it
 *
 *     #   is a hex number of at most 64 bits
 *     @   is a thread, "TID" or "pPID.TID": GDBSTUB_NO_THREAD for any, STUB_ALL_THREADS for all
 *     *   is all the rest, pairs of hex digits, decoded in place
 *     !   is the same in escaped binary
 *     $   is the end of the request
 *
 * and every other character is itself.
 */
struct args {
    uint8_t *at;
    const uint8_t *end;
};

bool stub_at_end(const struct args *args);
bool stub_take_char(struct args *args, char wanted);
/* All up to `separator`, which is skipped, or to the end. */
struct args stub_take_item(struct args *args, char separator);
/* Is that all that is left? */
bool stub_is(struct args args, const char *text);

/* What follows a packet's name, and what the last form has taken of it. */
struct request {
    struct args args;
    uint64_t value[3]; /* the numbers and threads, from the first on */
    struct args bytes; /* the decoded rest */
};

/* Take what a form says.  False, with the cursor moved, if something else is there. */
bool stub_take(struct request *request, const char *form);

/*
 * format.c: text into one of several places, a character at a time.  In a format,
 *
 *     %x  is a uint64_t in hex, without leading zeros
 *     %u  is a uint64_t in decimal
 *     %s  is a text
 *     %q  is a text of unknown origin: what means something between quotes or tags becomes '_'
 *     %m  is the same for what means something to the framing
 */
typedef void stub_put_function(void *to, char c);
void stub_format(stub_put_function *put, void *to, const char *format, va_list values);
/* The digits of a value in a base of 2 to 16, none for 0, written up to `end`: where they begin. */
const char *stub_digits(uint64_t value, unsigned base, char *end);
enum {
    STUB_MOST_DIGITS = 22, /* 2^64 in octal */
};

/* reply.c: the reply being written.  What does not fit sets gdbstub.reply_overflow. */

void stub_begin_reply(struct gdbstub *stub);
size_t stub_reply_room(const struct gdbstub *stub);
void stub_put_char(struct gdbstub *stub, char c);
/* Text, in which the characters that mean something to the framing are escaped. */
void stub_put(struct gdbstub *stub, const char *format, ...);
/* Text, two hex digits for each character. */
void stub_put_hexed(struct gdbstub *stub, const char *format, ...);
/* Two hex digits for each byte. */
void stub_put_bytes(struct gdbstub *stub, const void *bytes, size_t len);
/* One byte, escaped if it must be.  False, with nothing written, if it does not fit. */
bool stub_put_binary(struct gdbstub *stub, uint8_t byte);
void stub_put_thread(struct gdbstub *stub, gdbstub_thread thread);
/* Compress it, frame it, send it, keep it to be repeated. */
void stub_send_reply(struct gdbstub *stub);
/* A few times at most: the line may babble. */
void stub_repeat_reply(struct gdbstub *stub);

#endif
