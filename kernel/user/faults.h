/*
 * faults.h - how the cases of faults.def end, and those that are in faults_survived.c.
 */
#ifndef KERNEL_USER_FAULTS_H
#define KERNEL_USER_FAULTS_H

/* Statuses: those above 128 are kernel/program_trap.c's. */
enum fault_end {
    NOTHING = 0,
    SKIPPED = 77, /* this processor cannot do it */
    INSTRUCTION = 128 + 4,
    BREAKPOINT = 128 + 5,
    ARITHMETIC = 128 + 8,
    MEMORY = 128 + 11,

    /* It depends on the processor: */
    INSTRUCTION_OR_MEMORY = 1000,
    MEMORY_IF_UMIP = 1001,       /* else skipped */
    ARITHMETIC_IF_RAISED = 1002, /* else skipped */
};

void stack_growth(void);
void copy_on_write(void);
void zero_pages(void);
void flags(void);
void wild_stack_pointer(void);
void segments(void);
void wild_pointers(void);
void wild_maps(void);
void wild_calls(void);

#endif
