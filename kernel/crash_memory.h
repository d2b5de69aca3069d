/*
 * crash_memory.h - the sections of a record that are about memory as a whole: what there is, what
 * is in it, whether the code is still what was linked.
 */
#ifndef KERNEL_CRASH_MEMORY_H
#define KERNEL_CRASH_MEMORY_H

#include "crash_sections.h"

void crash_gather_maps(struct crash_writer *writer, const struct crash_scene *scene);
bool crash_wants_memory(const struct crash_scene *scene);
void crash_gather_memory(struct crash_writer *writer, const struct crash_scene *scene);
void crash_gather_text(struct crash_writer *writer, const struct crash_scene *scene);

/* Memory that is left out because the crash writer itself works there, n-th; false past the last.
 */
bool crash_own_memory(size_t n, uint64_t *start, uint64_t *end);

#endif
