/*
 * debugger_piece.c - keeps what is inside a piece, and forgets the rest.
 */
#include "debugger_piece.h"

#include "string.h"

struct debugger_piece debugger_piece_of(uint64_t start, void *to, size_t len)
{
    return (struct debugger_piece){
        .start = start, .to = to, .len = start > UINT64_MAX - len ? 0 : len};
}

size_t debugger_piece_part(struct debugger_piece *piece, uint64_t len, uint64_t *skip, uint8_t **to)
{
    uint64_t at = piece->at, end = piece->start + piece->len;

    piece->at += len;
    if (piece->at <= piece->start || at >= end)
        return 0;
    *skip = at < piece->start ? piece->start - at : 0;
    *to = piece->to + (at + *skip - piece->start);
    return (size_t)((piece->at < end ? piece->at : end) - (at + *skip));
}

void debugger_piece_put(struct debugger_piece *piece, const void *bytes, size_t len)
{
    uint64_t skip;
    uint8_t *to;
    size_t part = debugger_piece_part(piece, len, &skip, &to);

    if (part > 0)
        memcpy(to, (const uint8_t *)bytes + skip, part);
}

void debugger_piece_text(struct debugger_piece *piece, const char *text)
{
    debugger_piece_put(piece, text, strlen(text));
}

void debugger_piece_xml(struct debugger_piece *piece, const char *text, size_t len)
{
    for (; len > 0; len--, text++) {
        bool plain = *text >= ' ' && *text <= '~' && *text != '<' && *text != '&' && *text != '>';
        debugger_piece_put(piece, plain ? text : "_", 1);
    }
}

bool debugger_piece_full(const struct debugger_piece *piece)
{
    return piece->at >= piece->start + piece->len;
}

size_t debugger_piece_length(const struct debugger_piece *piece)
{
    if (debugger_piece_full(piece))
        return piece->len;
    return piece->at > piece->start ? (size_t)(piece->at - piece->start) : 0;
}
