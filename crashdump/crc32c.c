/*
 * crc32c.c - the checksum of everything in a record.
 *
 * Half a byte at a time from a 64-byte table: small, and faster than any serial line.  Uses no
 * special instruction, so that it works in whatever state the processor is left.
 */
#include "crashdump.h"

/* The CRC of each nibble: polynomial 0x1EDC6F41, bits reversed. */
static const uint32_t nibble_crc[16] = {
    0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
    0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
};

uint32_t crash_crc32c(uint32_t crc, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;

    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= byte[i];
        crc = crc >> 4 ^ nibble_crc[crc & 15];
        crc = crc >> 4 ^ nibble_crc[crc & 15];
    }
    return ~crc;
}
