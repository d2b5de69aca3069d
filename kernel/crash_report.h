/*
 * crash_report.h - a crash in a dozen lines for whoever watches the console.
 *
 * Short on purpose: the record and the host have the symbols.
 */
#ifndef KERNEL_CRASH_REPORT_H
#define KERNEL_CRASH_REPORT_H

#include "crash_sections.h"

/* What happened and where. */
void crash_report(const struct crash_scene *scene);

/* How to read the record, which has been printed. */
void crash_report_decoding(void);

#endif
