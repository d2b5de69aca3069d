/*
 * mem.c - memcpy memmove memset memcmp: what compilers call by themselves, and all that the two
 * libraries ask for.  Kernels that have not got them can take this file as it is.
 *
 * Compilers turn loops like these into calls of these functions: of themselves.  KEEP_LOOP in the
 * loop prevents that.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#define KEEP_LOOP() __asm__ volatile("" : : : "memory")

/* Eight bytes of whatever type. */
typedef uint64_t __attribute__((may_alias)) any_word;

static int word_aligned(const void *pointer)
{
    return (uintptr_t)pointer % sizeof(any_word) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    if (word_aligned(out) && word_aligned(in)) {
        for (; len >= sizeof(any_word); len -= sizeof(any_word)) {
            *(any_word *)(void *)out = *(const any_word *)(const void *)in;
            out += sizeof(any_word);
            in += sizeof(any_word);
            KEEP_LOOP();
        }
    }
    for (; len > 0; len--) {
        *out++ = *in++;
        KEEP_LOOP();
    }
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    unsigned char *out = to;
    const unsigned char *in = from;

    /* Forwards is right unless `to` lies inside [from, from + len). */
    if ((uintptr_t)to - (uintptr_t)from >= len) {
        for (size_t i = 0; i < len; i++) {
            out[i] = in[i];
            KEEP_LOOP();
        }
        return to;
    }
    while (len-- > 0) {
        out[len] = in[len];
        KEEP_LOOP();
    }
    return to;
}

void *memset(void *to, int value, size_t len)
{
    unsigned char *out = to;
    unsigned char byte = (unsigned char)value;
    any_word word = byte * UINT64_C(0x0101010101010101);

    if (word_aligned(out)) {
        for (; len >= sizeof(any_word); len -= sizeof(any_word)) {
            *(any_word *)(void *)out = word;
            out += sizeof(any_word);
            KEEP_LOOP();
        }
    }
    for (; len > 0; len--) {
        *out++ = byte;
        KEEP_LOOP();
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const unsigned char *left = a, *right = b;

    for (size_t i = 0; i < len; i++) {
        if (left[i] != right[i])
            return left[i] - right[i];
    }
    return 0;
}
