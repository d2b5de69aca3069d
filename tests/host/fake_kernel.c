/*
 * fake_kernel.c - see fake_kernel.h.
 */
#include "fake_kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/thread.h"

struct fake_kernel fake_kernel;

void fake_kernel_reset(void)
{
    memset(&fake_kernel, 0, sizeof fake_kernel);
}

void panic(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fake_kernel.panic, sizeof fake_kernel.panic, format, arguments);
    va_end(arguments);
    if (!fake_kernel.expects_panic) {
        fprintf(stderr, "panic: %s\n", fake_kernel.panic);
        abort();
    }
    fake_kernel.expects_panic = false;
    fake_kernel.locks = 0;
    longjmp(fake_kernel.after_panic, 1);
}

void log_print(enum log_level level, const char *format, ...)
{
    size_t used = strlen(fake_kernel.log);
    va_list arguments;

    (void)level;
    va_start(arguments, format);
    vsnprintf(fake_kernel.log + used, sizeof fake_kernel.log - used - 1, format, arguments);
    va_end(arguments);
    strcat(fake_kernel.log, "\n");
}

void spin_lock(struct spin_lock *lock)
{
    if (atomic_exchange(&lock->holder, 1) != 0 && fake_kernel.locks > 0) {
        fprintf(stderr, "lock %s is taken twice\n", lock->name);
        abort();
    }
    fake_kernel.locks++;
}

void spin_unlock(struct spin_lock *lock)
{
    atomic_store(&lock->holder, 0);
    fake_kernel.locks--;
}

struct thread *thread_current(void)
{
    static struct thread thread;

    thread.id = fake_kernel.thread;
    return thread.id == 0 ? NULL : &thread;
}
