/*
 * space_memory.h - what kernel/space.c stands on, for its test: page tables, frames that are
 * counted, a mutex that is watched, flushes that are counted.
 */
#ifndef SPACE_MEMORY_H
#define SPACE_MEMORY_H

enum {
    FRAMES = 96,
    FILE_FRAME = 1, /* the first of the file's, in the fake's memory */
    FILE_FRAMES = 3,
    FIRST_FREE = FILE_FRAME + FILE_FRAMES,
    MAPPINGS = 128,
    READ_WRITE = CRASH_MAP_READ | CRASH_MAP_WRITE,
};

static struct {
    _Alignas(PAGE) uint8_t memory[FRAMES + 1][PAGE]; /* the last one is of zeros */
    bool taken[FRAMES];
    unsigned free;
    struct mapping {
        uint64_t address, frame;
        unsigned permissions;
    } mappings[MAPPINGS];
    unsigned flushes;
    bool locked;
} fake;

void mutex_lock(struct mutex *mutex)
{
    (void)mutex;
    assert_false(fake.locked);
    fake.locked = true;
}

void mutex_unlock(struct mutex *mutex)
{
    (void)mutex;
    assert_true(fake.locked);
    fake.locked = false;
}

uint64_t frames_take(void)
{
    if (fake.free == 0)
        return 0;
    for (unsigned i = FIRST_FREE; i < FRAMES; i++) {
        if (fake.taken[i])
            continue;
        fake.taken[i] = true;
        fake.free--;
        memset(fake.memory[i], 0, PAGE);
        return (uint64_t)i * PAGE;
    }
    return 0;
}

void frames_give(uint64_t frame)
{
    assert_in_range(frame / PAGE, FIRST_FREE, FRAMES - 1);
    assert_true(fake.taken[frame / PAGE]);
    fake.taken[frame / PAGE] = false;
    fake.free++;
}

void *arch_physical(uint64_t physical)
{
    return fake.memory[0] + physical;
}

uint64_t arch_physical_of(const void *object)
{
    assert_ptr_equal(object, zeros);
    return (uint64_t)FRAMES * PAGE;
}

static struct mapping *mapping_at(uint64_t address)
{
    for (size_t i = 0; i < MAPPINGS; i++) {
        if (fake.mappings[i].address == address)
            return &fake.mappings[i];
    }
    return NULL;
}

uint64_t arch_space_create(void)
{
    return 1;
}

void arch_space_destroy(uint64_t space)
{
    assert_int_equal(space, 1);
}

bool arch_space_map(uint64_t space, uint64_t address, uint64_t frame, unsigned permissions)
{
    struct mapping *mapping = mapping_at(address);

    (void)space;
    assert_true(fake.locked);
    if (mapping == NULL)
        mapping = mapping_at(0);
    assert_non_null(mapping);
    *mapping = (struct mapping){address, frame, permissions};
    return true;
}

void arch_space_unmap(uint64_t space, uint64_t address)
{
    struct mapping *mapping = mapping_at(address);

    (void)space;
    if (mapping != NULL)
        *mapping = (struct mapping){0};
}

uint64_t arch_space_find(uint64_t space, uint64_t address, unsigned *permissions)
{
    const struct mapping *mapping = mapping_at(address);

    (void)space;
    if (mapping != NULL && permissions != NULL)
        *permissions = mapping->permissions;
    return mapping != NULL ? mapping->frame : 0;
}

void arch_flush_page(uint64_t address)
{
    (void)address;
}

void cpus_flush_page(uint64_t space, uint64_t address)
{
    (void)space;
    (void)address;
    fake.flushes++;
}

void cpus_flush_space(uint64_t space)
{
    (void)space;
    fake.flushes++;
}

#endif
