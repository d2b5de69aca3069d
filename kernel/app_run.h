/*
 * app_run.h - the kernel's side of app.h.
 */
#ifndef KERNEL_APP_RUN_H
#define KERNEL_APP_RUN_H

#include <stdbool.h>

/* Has a program been linked into this kernel? */
bool app_present(void);

/* Run it. */
_Noreturn void app_run(void);

#endif
