/*
 * x87.c - x87 control registers, which FXSAVE keeps in other shapes than GDB shows.
 */
#include "x87.h"

#include <stdbool.h>

/* The two-bit tags that FXSAVE abridges (SDM 1, 8.1.7): 0 valid, 1 zero, 2 special, 3 empty. */
static uint32_t tag_of(const uint8_t st[16])
{
    uint64_t significand = 0;
    uint32_t exponent = (uint32_t)(st[8] | (st[9] & 0x7f) << 8);

    __builtin_memcpy(&significand, st, sizeof(significand));
    if (exponent == 0x7fff)
        return 2;
    if (exponent == 0)
        return significand == 0 ? 1 : 2;
    return significand >> 63 != 0 ? 0 : 2;
}

static uint32_t full_tags(const struct fpu_image *image)
{
    unsigned top = image->fstat >> 11 & 7;
    uint32_t tags = 0;

    for (unsigned physical = 0; physical < 8; physical++) {
        bool used = (image->tags >> physical & 1) != 0;
        uint32_t tag = used ? tag_of(image->st[(physical - top) & 7]) : 3;

        tags |= tag << (2 * physical);
    }
    return tags;
}

static uint8_t abridged_tags(uint32_t tags)
{
    unsigned abridged = 0;

    for (unsigned physical = 0; physical < 8; physical++) {
        if ((tags >> (2 * physical) & 3) != 3)
            abridged |= 1u << physical;
    }
    return (uint8_t)abridged;
}

uint32_t x87_read(const struct fpu_image *image, enum x87 which)
{
    const uint32_t values[] = {
        [X87_fctrl] = image->fctrl,    [X87_fstat] = image->fstat,
        [X87_ftag] = full_tags(image), [X87_fiseg] = image->fiseg & 0xffff,
        [X87_fioff] = image->fioff,    [X87_foseg] = image->foseg & 0xffff,
        [X87_fooff] = image->fooff,    [X87_fop] = image->fop,
    };

    return values[which];
}

void x87_write(struct fpu_image *image, enum x87 which, uint32_t value)
{
    switch (which) {
    case X87_fctrl:
        image->fctrl = (uint16_t)value;
        break;
    case X87_fstat:
        image->fstat = (uint16_t)value;
        break;
    case X87_ftag:
        image->tags = abridged_tags(value);
        break;
    case X87_fiseg:
        image->fiseg = value;
        break;
    case X87_fioff:
        image->fioff = value;
        break;
    case X87_foseg:
        image->foseg = value;
        break;
    case X87_fooff:
        image->fooff = value;
        break;
    case X87_fop:
        image->fop = (uint16_t)value;
        break;
    }
}
