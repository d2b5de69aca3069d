/*
 * crash_inject.h - failures on purpose inside the crash path, to prove that it survives them.
 *
 * `inject=POINT:KIND,...` on the command line.  A point is the tag of a section (LOGR), a sink
 * (ram, disk, serial), `report`, `crash` (outside of all of them) or `minimal` (in the stage after
 * that); a kind is pointer, spin, panic, machine-check, double-fault or refuse.
 */
#ifndef KERNEL_CRASH_INJECT_H
#define KERNEL_CRASH_INJECT_H

#include <stdbool.h>

/* The crash path is at `point`: fail there if that was asked for.  Returns true if what is being
 * done is to be refused. */
bool crash_inject_point(const char *point);

/* Ask for failures as the command line does, in its place. */
void crash_inject(const char *spec);

#endif
