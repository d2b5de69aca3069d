/*
 * space.h - the memory of a program: which addresses it has, and what is behind them.
 *
 * Nothing is there before it is touched.  A page that its file fills is the file's own, in every
 * program that has it, until it is written to; the rest reads as zeros from one frame that all
 * share; a write takes a frame.  The kernel never touches user addresses: it copies through the
 * frames.
 *
 * Several threads may fault at once; all of this waits for the space's mutex, so it is not for code
 * that runs after a failure: that looks with arch_space_find().
 */
#ifndef KERNEL_SPACE_H
#define KERNEL_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "region.h"
#include "thread.h"

enum space_limits {
    SPACE_STACK_BYTES = 256 * 1024, /* that a stack may grow to */
    SPACE_RED_ZONE_BYTES = 128,     /* below the stack pointer, that code may use (System V ABI) */
};

struct space {
    struct mutex mutex;
    uint64_t root; /* as arch.h names spaces */
    struct regions regions;
};

/* An empty one.  False if memory is short. */
bool space_create(struct space *space);

/* Give back all frames and tables.  No thread may be in it. */
void space_destroy(struct space *space);

/* Add a region; `lowest` is set to `start`.  False as regions_add(). */
bool space_add(struct space *space, const struct region *region);

/* Add a stack that ends at `end`, with a page below it that never is. */
bool space_add_stack(struct space *space, uint64_t end);

/* Add `len` bytes of zeros (rounded up to pages) at `address`, or, if that is 0, where there is
 * room.  Returns the address; 0 as space_add(). */
uint64_t space_add_zeros(struct space *space, uint64_t address, uint64_t len, unsigned permissions);

/* Take away whatever of [address, address + len) belongs to regions, in whole pages.  False, and
 * nothing done, if it is not inside the range for programs, or would make too many regions. */
bool space_remove(struct space *space, uint64_t address, uint64_t len);

enum space_result {
    SPACE_RESOLVED, /* the access will succeed now */
    SPACE_REFUSED,  /* the program may not do that */
    SPACE_NO_MEMORY,
};

/* Make an access to `address` possible if the program may do it.  `access`: enum trap_access bits,
 * of which WRITE and EXECUTE count; `sp` is the user's stack pointer, near which a stack may grow.
 */
enum space_result space_resolve(struct space *space, uint64_t address, unsigned access,
                                uint64_t sp);

/* Copy between the kernel and a program.  False if the program itself could not do it: then a part
 * may have been copied.  Stacks grow to wherever the program points to. */
bool space_copy_in(struct space *space, void *to, uint64_t from, uint64_t len);
bool space_copy_out(struct space *space, uint64_t to, const void *from, uint64_t len);

#endif
