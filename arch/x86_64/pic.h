/*
 * pic.h - the two 8259 interrupt controllers, lines 0 to 15 together.
 */
#ifndef ARCH_X86_64_PIC_H
#define ARCH_X86_64_PIC_H

#include <stdbool.h>
#include <stdint.h>

/* All lines masked, line 0 at `vector`: masked, they still make spurious interrupts, which must not
 * look like exceptions. */
void pic_init(uint8_t vector);
void pic_unmask(unsigned line);

/* Has the line's interrupt been delivered, and not ended?  False for a spurious one. */
bool pic_in_service(unsigned line);

/* The line's interrupt has been taken care of, if there was one. */
void pic_done(unsigned line);

#endif
