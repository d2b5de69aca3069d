/*
 * memory_functions.h - all that the library needs from outside: what compilers call anyway.
 *
 * Declared here because <string.h> is not a freestanding header.  Not for users of the library.
 */
#ifndef CRASHDUMP_MEMORY_FUNCTIONS_H
#define CRASHDUMP_MEMORY_FUNCTIONS_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *left, const void *right, size_t len);

#endif
