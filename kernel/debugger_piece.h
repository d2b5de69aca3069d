/*
 * debugger_piece.h - a piece of an object that is made from its beginning whenever a piece is
 * wanted.
 */
#ifndef KERNEL_DEBUGGER_PIECE_H
#define KERNEL_DEBUGGER_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes [start, start + len) of the object go to `to`; what is before and behind is only counted.
 */
struct debugger_piece {
    uint64_t start;
    uint8_t *to;
    size_t len;
    uint64_t at; /* how much of the object has been put */
};

/* A piece of which nothing has been put.  An object has no byte at or beyond 2^64 - len. */
struct debugger_piece debugger_piece_of(uint64_t start, void *to, size_t len);

/* The part of the next `len` bytes that is in the piece: where it begins in them, and how long it
 * is; *to is where it goes.  Counts them all as put. */
size_t debugger_piece_part(struct debugger_piece *piece, uint64_t len, uint64_t *skip,
                           uint8_t **to);

void debugger_piece_put(struct debugger_piece *piece, const void *bytes, size_t len);
void debugger_piece_text(struct debugger_piece *piece, const char *text);
/* The same, for text between tags: what is special in XML becomes '_'. */
void debugger_piece_xml(struct debugger_piece *piece, const char *text, size_t len);

/* Is the piece complete? */
bool debugger_piece_full(const struct debugger_piece *piece);
/* How many bytes of it there are. */
size_t debugger_piece_length(const struct debugger_piece *piece);

#endif
