/*
 * crash_sections.h - what each section of this kernel's crash record holds.
 */
#ifndef KERNEL_CRASH_SECTIONS_H
#define KERNEL_CRASH_SECTIONS_H

#include "crashdump/crashdump.h"
#include "trap/trap.h"

enum crash_scope {
    CRASH_SCOPE_MINIMAL, /* what is known to work, after the writer itself has failed */
    CRASH_SCOPE_SMALL,   /* what fits on a serial line: small regions only of memory */
    CRASH_SCOPE_DATA,    /* the kernel's data, heap and stacks */
    CRASH_SCOPE_ALL,     /* all physical memory */
};

enum crash_scene_limits {
    CRASH_NESTED_ENTRIES = 8, /* faults inside the writer that are described */
};

/* What the record is about. */
struct crash_scene {
    const struct trap *trap;
    enum crash_scope scope;
    uint32_t nesting; /* 0; 1: the full record failed */
    uint64_t began_us;
    size_t nested_count;
    struct crash_nested nested[CRASH_NESTED_ENTRIES]; /* what went wrong inside the writer so far */
};

/* One section.  `gather` may fault: what it has appended by then is kept. */
struct crash_part {
    uint32_t tag;
    bool minimal;                                         /* also in a minimal record */
    bool (*wanted)(const struct crash_scene *scene);      /* NULL: always */
    uint64_t (*address)(const struct crash_scene *scene); /* what it is about; NULL: 0 */
    void (*gather)(struct crash_writer *writer, const struct crash_scene *scene);
};

/* In the order of crashdump/sections.def, but for ENDS, which the writer makes. */
extern const struct crash_part crash_parts[];
extern const size_t crash_part_count;

#endif
