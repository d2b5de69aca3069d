/*
 * user.h - all that a user program may call: the system calls, and a little on top of them.
 *
 * A program defines `int main(const char *argument)`; what it returns is its status.  It runs in
 * ring 3 on a stack that grows to 256 KiB, and may use floating point.  Failing calls return
 * -ERROR_...; kernel/errors.def says what they mean.
 */
#ifndef KERNEL_USER_LIBRARY_USER_H
#define KERNEL_USER_LIBRARY_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_number {
#define SYSCALL(number, name, arguments) CALL_##name = (number),
#include "kernel/syscalls.def"
#undef SYSCALL
};

enum error {
#define ERROR(number, name, text) ERROR_##name = (number),
#include "kernel/errors.def"
#undef ERROR
};

enum file_number {
    OUTPUT = 1,
};

enum map_permissions {
    MAP_NOTHING = 0,
    MAP_READ = 1,
    MAP_WRITE = 2,
};

int main(const char *argument);

/* ---- The two ways into the kernel ---- */

long call_by_interrupt(long number, long a, long b, long c, long d);
long call_by_syscall(long number, long a, long b, long c, long d);

/* The one that everything below takes; SYSCALL at first. */
extern long (*system_call)(long number, long a, long b, long c, long d);

/* ---- System calls ---- */

/* Write to the console: how many bytes were written. */
long write(long file, const void *bytes, size_t len);

/* End this thread; the program ends with its last one, with the status of its first. */
_Noreturn void exit(int status);

void yield(void);
void sleep_us(uint64_t us);
long get_thread_id(void);
uint64_t clock_us(void);

/* Zeros at `address`, or where there is room if that is NULL: the address, or an error
 * (is_error()). MAP_NOTHING takes pages away. */
void *map(void *address, size_t len, unsigned permissions);

/* Start a program: its id. */
long spawn(const char *name, const char *argument);

/* Start a thread of this program, with a stack of its own: its id.  It ends when `function`
 * returns. */
long spawn_thread(void (*function)(void *argument), void *argument);

/* Wait for a child's end: its status.  `id` 0 stands for any; `ended`, if not NULL, says which. */
long wait(long id, uint32_t *ended);

/* ---- Without the kernel ---- */

static inline bool is_error(long result)
{
    return result < 0 && result > -4096;
}

/* Print; the directives are those of kernel/format.h.  A line of up to 255 characters stays whole.
 */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

/* The decimal number that `text` begins with; 0 if there is none. */
uint64_t number_of(const char *text);

/* The next of a sequence of numbers that look random; `*state` is not 0. */
uint64_t next_random(uint64_t *state);

/* End the program, all of its threads, with a word unless `condition` holds. */
#define check(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))
_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif
