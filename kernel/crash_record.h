/*
 * crash_record.h - gather a record and give it to a sink, section by section.
 *
 * A fault, or standing still, inside a section costs that section, and is described in the record.
 */
#ifndef KERNEL_CRASH_RECORD_H
#define KERNEL_CRASH_RECORD_H

#include "crash_sections.h"

/* What is written from now on is about another crash than before. */
void crash_record_begin(void);

/* A record's header but for its checksum; `minimal` ones have an id of their own. */
void crash_record_header(struct crash_header *header, bool minimal);

/* Gather all of it, of that scope, for `sink`.  True if the sink has taken and committed it. */
bool crash_record_write(const struct crash_sink *sink, struct crash_scene *scene,
                        enum crash_scope scope);

/* Something went wrong inside the writer: say so in the records that are still to be written. */
void crash_note_nested(struct crash_scene *scene, const char *place, const struct trap *caught);

/* The section that is being written, for crash_note_nested(); 0: none. */
uint32_t crash_record_section(void);

#endif
