/*
 * suspect.c - reads what a broken kernel may have destroyed.
 */
#include "suspect.h"

#include "arch/arch.h"
#include "process.h"
#include "schedule.h"
#include "thread.h"

void suspect_text(char *to, size_t size, const char *text)
{
    size_t got = arch_copy_from(to, (uint64_t)(uintptr_t)text, size - 1);
    size_t length = 0;

    if (got == 0)
        to[got++] = '?';
    while (length < got && to[length] != '\0')
        length++;
    for (; length < size; length++)
        to[length] = '\0';
}

bool suspect_runs(const struct thread *thread)
{
    return thread->cpu < arch_cpu_count() && schedule_cpu(thread->cpu)->current == thread;
}

bool suspect_parked(const struct thread *thread)
{
    uint8_t byte;

    return !suspect_runs(thread) && thread->frame != NULL &&
           arch_copy_from(&byte, (uint64_t)(uintptr_t)thread->frame, sizeof byte) == sizeof byte;
}

static const struct thread *in_table(const struct thread *thread)
{
    const struct thread *known = NULL;

    while ((known = thread_next(known)) != NULL && known != thread)
        ;
    return known;
}

uint32_t suspect_thread_id(const struct thread *thread)
{
    const struct thread *known = in_table(thread);

    return known == NULL ? 0 : known->id;
}

const struct thread *suspect_owner(const struct mutex *mutex)
{
    struct mutex copy;
    size_t got = arch_copy_from(&copy, (uint64_t)(uintptr_t)mutex, sizeof copy);

    return got == sizeof copy && copy.owner != NULL ? in_table(copy.owner) : NULL;
}

uint32_t suspect_process_id(const struct process *process)
{
    uint32_t id = 0;

    if (process == NULL ||
        arch_copy_from(&id, (uint64_t)(uintptr_t)process + offsetof(struct process, id),
                       sizeof id) < sizeof id)
        return 0;
    return id;
}
