/*
 * heartbeat.h - what the kernel does when it is asked for nothing else: something to debug.
 */
#ifndef KERNEL_HEARTBEAT_H
#define KERNEL_HEARTBEAT_H

/* Beat once a second, for ever.  The argument is not used. */
void heartbeat_run(const char *argument);

#endif
