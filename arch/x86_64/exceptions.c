/*
 * exceptions.c - from a vector and a frame to a struct trap, and back.
 *
 * The only code between entry.asm and the trap table.  Reads what the processor overwrites with the
 * next exception (CR2, DR6) before anything else can fail; decides nothing.
 */
#include "arch/arch.h"
#include "arch/inspect.h"
#include "descriptors.h"
#include "frame.h"
#include "interrupts.h"
#include "instructions.h"
#include "points.h"
#include "stacks.h"
#include "step.h"

/* Error code of #PF (SDM 3A 4.7), DR6 at rest (SDM 3B 17.2.3). */
enum page_fault_bits {
    PAGE_FAULT_PRESENT = 1 << 0,
    PAGE_FAULT_WRITE = 1 << 1,
    PAGE_FAULT_USER = 1 << 2,
    PAGE_FAULT_RESERVED = 1 << 3,
    PAGE_FAULT_FETCH = 1 << 4,
    PAGE_FAULT_PROTECTION_KEY = 1 << 5,
    PAGE_FAULT_SHADOW_STACK = 1 << 6,
};
#define DR6_AT_REST 0xffff0ff0u

struct exception {
    const char *name;
    enum trap_class class;
    enum trap_kind kind;
    enum ist stack;
};

static const struct exception exceptions[] = {
#define VECTOR(number, mnemonic, name, error, class, kind, ist)                                    \
    [number] = {name, TRAP_CLASS_##class, TRAP_##kind, IST_##ist},
#include "vectors.def"
#undef VECTOR
};

enum exception_vectors {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_PAGE_FAULT = 14,
    EXCEPTIONS = sizeof(exceptions) / sizeof(exceptions[0]),

    RFLAGS_TF = 1 << 8,
    HARDWARE_BYTES = 5 * 8, /* what iretq loads: rip cs rflags rsp ss */
};
_Static_assert(EXCEPTIONS == 32, "vectors.def lists the 32 exceptions");

static const struct exception interrupt = {NULL, TRAP_CLASS_INTERRUPT, TRAP_INTERRUPT, IST_NONE};
static const struct exception syscall = {"system call", TRAP_CLASS_TRAP, TRAP_SYSCALL, IST_NONE};
static const struct exception panic = {"panic", TRAP_CLASS_TRAP, TRAP_PANIC, IST_NONE};

static const struct exception *exception_of(uint64_t vector)
{
    if (vector < EXCEPTIONS)
        return &exceptions[vector];
    if (vector == VECTOR_SYSTEM_CALL)
        return &syscall;
    return vector == ARCH_VECTOR_PANIC ? &panic : &interrupt;
}

/* Does the trap belong to the kernel's ordinary work? */
static bool is_ordinary(const struct exception *exception)
{
    return exception == &interrupt || exception == &syscall;
}

static bool is_from_user(const struct trap_frame *frame)
{
    return (frame->cs & 3) != 0;
}

const char *arch_vector_name(unsigned vector)
{
    const char *name = exception_of(vector)->name;

    return name != NULL ? name : interrupt_name(vector);
}

static unsigned page_fault_access(uint64_t error)
{
    static const struct {
        unsigned bit, access;
    } map[] = {
        {PAGE_FAULT_PRESENT, TRAP_ACCESS_PRESENT},
        {PAGE_FAULT_WRITE, TRAP_ACCESS_WRITE},
        {PAGE_FAULT_USER, TRAP_ACCESS_USER},
        {PAGE_FAULT_RESERVED, TRAP_ACCESS_RESERVED},
        {PAGE_FAULT_FETCH, TRAP_ACCESS_EXECUTE},
        {PAGE_FAULT_PROTECTION_KEY, TRAP_ACCESS_OTHER},
        {PAGE_FAULT_SHADOW_STACK, TRAP_ACCESS_OTHER},
    };
    unsigned access = 0;

    for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
        if ((error & map[i].bit) != 0)
            access |= map[i].access;
    }
    return access;
}

/* What only one kind of trap has.  DR6 is sticky: read it once, leave it clean. */
static void add_details(struct trap *trap, uint64_t fault_address)
{
    if (trap->vector == VECTOR_PAGE_FAULT) {
        trap->address = fault_address;
        trap->access = page_fault_access(trap->error);
    } else if (trap->vector == VECTOR_DEBUG) {
        trap->error = read_dr6() & ~(uint64_t)DR6_AT_REST;
        trap->frame->error = trap->error; /* for who looks at the frame later */
        write_dr6(DR6_AT_REST);
        points_note(trap->error);
        step_clean_up(trap->cpu, trap->frame);
    } else if (trap->vector == ARCH_VECTOR_PANIC) {
        trap->message = (const char *)(uintptr_t)trap->error;
        trap->error = 0;
    }
}

/* entry.asm */
extern const uint8_t trap_return[];

/* entry.asm calls these two, with interrupts off, one after the other. */
struct trap_frame *arch_trap_stack(struct trap_frame *frame);
struct trap_frame *arch_trap(struct trap_frame *frame);

/* NMIs that are being handled on the stack for that, one inside the other. */
static unsigned nmis[ARCH_CPUS];

/* A copy of it below `place`: a stack's top, or what the stack holds already. */
static struct trap_frame *move_frame(const struct trap_frame *frame, uint64_t place)
{
    struct trap_frame *to = (struct trap_frame *)(uintptr_t)(place & ~(uint64_t)15) - 1;

    *to = *frame;
    return to;
}

/* The return from any fault lets the next NMI in (SDM 3A 6.7.1), and that begins at the top of its
 * IST stack again: so an NMI, in which copies may fault, is handled elsewhere.  One that comes
 * while the debugger has another stack stays where it is; it must not fault. */
static struct trap_frame *nmi_frame(struct trap_frame *frame)
{
    unsigned cpu = arch_cpu_id();
    bool nests = is_on_purpose_stack(frame->rsp, ARCH_STACK_NMI);

    if (nmis[cpu] > 0 && !nests)
        return frame;
    nmis[cpu]++;
    return move_frame(frame, nests ? frame->rsp : purpose_stack_top(cpu, ARCH_STACK_NMI));
}

/* What a trap that the processor does not raise has beside its vector, until it is handled. */
#define RAISED ((uint64_t)1 << 32)

/* Is it a system call's that was to be stepped?  The flags are the user's again, and TF with them,
 * only behind the instruction that follows (SDM 3B 17.3.1.4): for a debugger, too late. */
static bool is_stepped_call(const struct trap_frame *frame)
{
    return frame->vector == VECTOR_SYSTEM_CALL && (frame->rflags & RFLAGS_TF) != 0;
}

/* The frame that a debug exception would have made there, where it would have made it. */
static struct trap_frame *raise_step(const struct trap_frame *frame)
{
    unsigned cpu = arch_cpu_id();

    (void)points_disarm(cpu); /* a second debug exception would begin at that top */
    struct trap_frame *to = move_frame(frame, ist_stack_top(cpu, IST_DEBUG));

    to->vector = VECTOR_DEBUG | RAISED;
    return to;
}

/* Has iretq refused to load a user's frame?  Then that is what failed, not the kernel. */
static bool is_refused_return(const struct trap_frame *frame)
{
    const uint64_t *refused = (const uint64_t *)(uintptr_t)frame->rsp; /* rip cs rflags rsp ss */

    return frame->rip == (uint64_t)(uintptr_t)trap_return && (refused[1] & 3) != 0;
}

/* The frame that the user's code would have made, had it failed behind the iretq: its registers are
 * all loaded, its GS too. */
static struct trap_frame *user_frame(struct trap_frame *frame)
{
    struct trap_frame registers = *frame;
    struct trap_frame *refused = (struct trap_frame *)(uintptr_t)(frame->rsp + HARDWARE_BYTES) - 1;
    uint64_t hardware[HARDWARE_BYTES / 8];

    __builtin_memcpy(hardware, &refused->rip, HARDWARE_BYTES);
    *refused = registers;
    __builtin_memcpy(&refused->rip, hardware, HARDWARE_BYTES);
    swapgs();
    return refused;
}

/* Where to handle the trap: `frame`, or a copy of it on another stack.  What the kernel's own code
 * has done wrong is not handled on its stack: there may be little left of it, and a debugger that
 * calls a function writes there.  Traps with stacks of their own stay on them. */
struct trap_frame *arch_trap_stack(struct trap_frame *frame)
{
    const struct exception *exception = exception_of(frame->vector);

    if (frame->vector == VECTOR_NMI)
        return nmi_frame(frame);
    if (exception->stack != IST_NONE || is_ordinary(exception) || is_from_user(frame) ||
        is_emergency_stack((uint64_t)(uintptr_t)frame))
        return frame;
    if (is_refused_return(frame))
        return user_frame(frame);
    return move_frame(frame, purpose_stack_top(arch_cpu_id(), ARCH_STACK_EXCEPTION));
}

/* CR2 as each CPU's innermost page fault left it. */
static uint64_t fault_addresses[ARCH_CPUS];

/* Is the kernel about to do for a program what it does in a system call? */
static bool is_programs(const struct trap *trap)
{
    return trap->origin == TRAP_FROM_USER && exception_of(trap->vector)->stack == IST_NONE;
}

static void dispatch(struct trap *trap, bool ordinary)
{
    if (!(ordinary ? trap_dispatch_ordinary(trap) : trap_dispatch(trap)))
        arch_halt();
}

/* Returns with CR2 as it was before: a copy that faulted on behalf of a debugger or of a record
 * must not spoil what they are about. */
static void handle_exception(struct trap *trap)
{
    uint64_t fault_address = read_cr2();
    uint64_t outer_address = fault_addresses[trap->cpu];
    uint64_t armed = points_disarm(trap->cpu);
    bool programs = is_programs(trap);

    add_details(trap, fault_address);
    fault_addresses[trap->cpu] = fault_address;
    if (armed != POINTS_NONE && programs)
        points_arm(trap->cpu, trap->frame, armed);
    dispatch(trap, programs);
    fault_addresses[trap->cpu] = outer_address;
    if (trap->vector == VECTOR_PAGE_FAULT)
        write_cr2(outer_address);
    if (armed != POINTS_NONE || points_exist())
        points_arm(trap->cpu, trap->frame, armed);
}

/* Points stay as they are, and a step holds no interrupts back: the kernel goes about its work.
 * What is armed for a step is not for another thread. */
static void handle_ordinary(struct trap *trap)
{
    const struct trap_frame *frame = trap->frame;

    step_end(trap->cpu);
    dispatch(trap, true);
    if (trap->frame != frame)
        points_arm(trap->cpu, trap->frame, POINTS_NONE);
}

/* Have the trap handled.  Returns the frame to load. */
struct trap_frame *arch_trap(struct trap_frame *frame)
{
    uint64_t vector = frame->vector & ~RAISED;
    const struct exception *exception = exception_of(vector);
    struct trap trap = {
        .kind = exception->kind,
        .class = exception->class,
        .origin = is_from_user(frame) ? TRAP_FROM_USER : TRAP_FROM_KERNEL,
        .cpu = arch_cpu_id(),
        .vector = (uint32_t)vector,
        .error = frame->error,
        .pc = frame->rip,
        .name = exception->name,
        .frame = frame,
    };

    frame->vector = vector;
    if (exception == &interrupt)
        trap.name = interrupt_name(trap.vector);
    if (is_ordinary(exception))
        handle_ordinary(&trap);
    else
        handle_exception(&trap);
    if (vector == VECTOR_NMI && is_on_purpose_stack((uint64_t)(uintptr_t)frame, ARCH_STACK_NMI))
        nmis[trap.cpu]--;
    return is_stepped_call(trap.frame) ? raise_step(trap.frame) : trap.frame;
}
