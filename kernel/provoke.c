/*
 * provoke.c - deliberate failures, each a small story as it happens in real kernels: a parcel
 * office that counts, sorts and delivers, badly.
 *
 * The functions are kept out of line so that their names show in backtraces, and what they use
 * goes through volatile variables, so that no compiler sees the failure coming.
 */
#include "provoke.h"

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "arch/provoke.h"
#include "command_line.h"
#include "console.h"
#include "crash_inject.h"
#include "crash_regions.h"
#include "log.h"
#include "panic.h"
#include "provoke_stories.h"
#include "string.h"

static struct office {
    struct parcel *volatile shelf; /* empty: NULL */
    volatile uint64_t parcel_count;
    volatile uint64_t total_weight;
    void (*volatile deliver)(struct parcel *parcel); /* nobody has set it */
} office;

static const uint64_t prices[4] = {100, 250, 400, 900};
static uint8_t received[64] = {0x90, 0x90, 0x90, 0xc3};

static STORY void provoke_divide(void)
{
    office.total_weight = office.total_weight / office.parcel_count;
}

static STORY void provoke_invalid_opcode(void)
{
    office.parcel_count++;
    __builtin_trap(); /* what compilers put where no way leads */
}

static inline struct parcel *next_parcel(const struct parcel *parcel)
{
    return parcel->next;
}

static STORY void provoke_null_read(void)
{
    office.shelf = next_parcel(office.shelf);
}

static STORY void provoke_null_write(void)
{
    struct parcel *first = office.shelf;

    first->next = NULL;
    OPAQUE();
}

static STORY void provoke_null_call(void)
{
    office.deliver(office.shelf);
    OPAQUE();
}

static STORY void provoke_wild_read(void)
{
    struct parcel *volatile freed = (struct parcel *)(uintptr_t)0xdeadbeefdeadbeef;

    office.total_weight += freed->weight;
}

static STORY void provoke_write_text(void)
{
    uint8_t *volatile code = (uint8_t *)(uintptr_t)provoke_wild_read;

    *code = 0xc3;
    OPAQUE();
}

static STORY void provoke_write_rodata(void)
{
    uint64_t *volatile price = (uint64_t *)(uintptr_t)&prices[2];

    *price = 0;
    OPAQUE();
}

static STORY void provoke_exec_data(void)
{
    void (*volatile code)(void) = (void (*)(void))(uintptr_t)received;

    code();
    OPAQUE();
}

/* Sort by halves: whoever begins with no parcel at all never comes down to one.
 * NOLINTNEXTLINE(misc-no-recursion): that is the failure */
static STORY uint64_t sort_parcels(uint64_t count)
{
    volatile uint64_t labels[24];

    if (count == 1)
        return office.total_weight;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        labels[i] = count + i;
    return sort_parcels(count / 2) + labels[count % 24];
}

static STORY void provoke_stack_overflow(void)
{
    office.total_weight = sort_parcels(office.parcel_count);
}

/* A label too long for its place, which ends up where the return address was. */
static STORY void print_label(uint64_t label)
{
    volatile uint64_t *frame = __builtin_frame_address(0);

    frame[1] = label; /* above the caller's frame pointer */
}

static STORY void label_parcel(struct parcel *parcel)
{
    office.shelf = parcel;
    print_label(0x414141414141); /* "AAAAAA" */
    OPAQUE();
}

static STORY void provoke_smashed_return_address(void)
{
    label_parcel(office.shelf);
    OPAQUE();
}

static STORY void provoke_gp_segment(void)
{
    arch_provoke_bad_selector();
    OPAQUE();
}

static STORY void provoke_gp_msr(void)
{
    arch_provoke_bad_register();
    OPAQUE();
}

static STORY void provoke_double_fault(void)
{
    arch_provoke_lost_stack();
    OPAQUE();
}

static STORY void provoke_panic(void)
{
    panic("the shelf holds %lu parcels but weighs %lu g", office.parcel_count,
          office.total_weight + 7);
}

static STORY void provoke_assert(void)
{
    kassert(office.parcel_count > 0);
    OPAQUE();
}

static STORY void provoke_recursion_in_panic(void)
{
    crash_inject("LOGR:panic");
    panic("the first of two panics");
}

/* ---- Where the kernel has lost its way out ---- */

static STORY void weigh_on_stack(void *argument)
{
    (void)argument;
    office.total_weight += next_parcel(office.shelf)->weight;
}

static STORY void provoke_nmi_stack(void)
{
    arch_call_on_stack(ARCH_STACK_NMI, weigh_on_stack, NULL);
    OPAQUE();
}

static STORY void provoke_nmi(void)
{
    arch_provoke_nmi();
    OPAQUE();
}

static STORY void provoke_machine_check(void)
{
    arch_provoke_machine_check();
    OPAQUE();
}

static STORY void provoke_stub_stack(void)
{
    arch_call_on_stack(ARCH_STACK_DEBUGGER, weigh_on_stack, NULL);
    OPAQUE();
}

static STORY void provoke_lost_gs(void)
{
    arch_provoke_lost_gs();
    OPAQUE();
}

static STORY void provoke_lost_gate(void)
{
    arch_provoke_lost_gate();
    OPAQUE();
}

static STORY void provoke_lost_tables(void)
{
    arch_provoke_lost_tables();
    OPAQUE();
}

/* ---- What the kernel itself notices ---- */

/* A copy that trusts the length it is told. */
static STORY void copy_label(const char *label, size_t len)
{
    char room[24];
    char *volatile to = room;

    for (size_t i = 0; i < len; i++)
        to[i] = label[i];
    OPAQUE();
}

static STORY void provoke_stack_smash(void)
{
    static const char label[] = "to whom it may concern, wherever that is";

    copy_label(label, 24 + 8); /* as far as the canary, not to the return address */
    OPAQUE();
}

/* An index that nobody has checked: undefined, so only a build with SAN=ubsan stops there. */
static STORY void provoke_undefined(void)
{
    volatile size_t section = sizeof prices / sizeof prices[0];

    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): that is the failure */
    office.total_weight += prices[section];
    OPAQUE();
}

/* The office's safe: what is in it must be in no record. */
static STORY void provoke_secret(void)
{
    static char combination[64];

    if (!crash_register_region("safe", combination, sizeof combination, CRASH_REGION_SECRET))
        return;
    for (size_t i = 0; i + 1 < sizeof combination; i++)
        combination[i] = (char)('A' + i * 7 % 26); /* "AHOVCJQX..." stands nowhere else */
    OPAQUE();
    panic("the safe has been opened");
}

static STORY void provoke_int3(void)
{
    arch_breakpoint();
    log_print(LOG_NOTICE, "int3: went on");
}

/* Nothing has set up the office yet. */
static STORY void open_office(void)
{
    office.total_weight = office.total_weight % office.parcel_count;
}

/* It has failed before, or not at all: provoke_early(). */
static void provoke_nothing(void)
{
}

static void list_names(void);

static const struct provocation {
    const char *name;
    const char *shows;
    void (*fail)(void);
    bool goes_on; /* it is no failure that ends the kernel */
} provocations[] = {
    {"list", "print these names", list_names, true},
    {"divide", "division by zero", provoke_divide, false},
    {"invalid-opcode", "an instruction that does not exist", provoke_invalid_opcode, false},
    {"null-read", "read a member of a structure that is not there", provoke_null_read, false},
    {"null-write", "write a member of a structure that is not there", provoke_null_write, false},
    {"null-call", "call a function pointer that nobody has set", provoke_null_call, false},
    {"wild-read", "read through a pointer that is none", provoke_wild_read, false},
    {"write-text", "write to the kernel's code", provoke_write_text, false},
    {"write-rodata", "write to a constant", provoke_write_rodata, false},
    {"exec-data", "run data as code", provoke_exec_data, false},
    {"stack-overflow", "recursion without an end", provoke_stack_overflow, false},
    {"smashed-return-address", "return to where an overflow says", provoke_smashed_return_address,
     false},
    {"gp-segment", "load a segment selector beyond its table", provoke_gp_segment, false},
    {"gp-msr", "write a value that a register does not allow", provoke_gp_msr, false},
    {"double-fault", "fault with a stack pointer that is lost", provoke_double_fault, false},
    {"panic", "the kernel gives up by itself", provoke_panic, false},
    {"assert", "an assertion that does not hold", provoke_assert, false},
    {"recursion-in-panic", "panic, and again while the record is written",
     provoke_recursion_in_panic, false},
    {"heap-overflow", "write past the end of a block", provoke_heap_overflow, false},
    {"heap-use-after-free", "write to a block that was freed", provoke_heap_use_after_free, false},
    {"heap-read-after-free", "read through a pointer from a block that was freed",
     provoke_heap_read_after_free, false},
    {"heap-double-free", "free a block twice", provoke_heap_double_free, false},
    {"out-of-memory", "allocate until there is nothing left", provoke_out_of_memory, false},
    {"nmi", "with gdb=off: an interrupt that nobody can mask, nor expects", provoke_nmi, false},
    {"nmi-stack", "fault on the stack where NMIs are handled", provoke_nmi_stack, false},
    {"machine-check", "the processor reports broken hardware", provoke_machine_check, false},
    {"stub-stack", "fault on the debugger's stack", provoke_stub_stack, false},
    {"lost-gs", "use a GS base that is destroyed", provoke_lost_gs, false},
    {"lost-gate", "page fault without a descriptor for it", provoke_lost_gate, false},
    {"lost-tables", "page tables that have lost all physical memory", provoke_lost_tables, false},
    {"stack-smash", "write past a local array: the stack protector notices", provoke_stack_smash,
     false},
    {"undefined", "an index out of range: noticed by a kernel made with SAN=ubsan",
     provoke_undefined, false},
    {"secret", "panic with a secret in memory", provoke_secret, false},
    {"early", "fail before the log is set up", provoke_nothing, false},
    {"spin", "wait with interrupts off: with smp=2 or more, the watchdog notices", provoke_spin,
     false},
    {"deadlock", "two CPUs wait for each other's lock: with smp=3 or more, the watchdog notices",
     provoke_deadlock, false},
    {"interrupt", "a page fault in the tick, the scheduler's lock held", provoke_interrupt, false},
    {"locked", "fail with locks held that everybody needs", provoke_locked, false},
    {"system-call", "fail in what a user program has called", provoke_system_call, false},
    {"console", "fail in what prints", provoke_console, false},
    {"two-cpus", "with smp=2 or more: two fail at once", provoke_two_cpus, false},
    {"beside-spin", "with smp=2 or more: fail while another CPU hears no interrupt",
     provoke_beside_spin, false},
    {"int3", "a breakpoint of the kernel's own: logged, goes on", provoke_int3, true},
};

enum {
    PROVOCATIONS = sizeof provocations / sizeof provocations[0],
    EXIT_AS_EXPECTED = 0,
    EXIT_NOT_FAILED = 1,
};

static void list_names(void)
{
    for (size_t i = 0; i < PROVOCATIONS; i++)
        console_print("%-24s%s\n", provocations[i].name, provocations[i].shows);
}

/* Nothing failed, or not as it should have. */
static void leave(unsigned status)
{
    console_flush();
    arch_exit_emulator(status);
}

void provoke_early(void)
{
    const char *spec = command_line_value("run");

    if (spec != NULL && strcmp(spec, "provoke:early") == 0)
        open_office();
}

void provoke_run(const char *name)
{
    size_t i = 0;

    while (i < PROVOCATIONS && strcmp(provocations[i].name, name) != 0)
        i++;
    if (i == PROVOCATIONS) {
        log_print(LOG_ERROR, "run=provoke:%s: no such failure; run=provoke:list names them", name);
        leave(EXIT_NOT_FAILED);
        return;
    }
    log_print(LOG_NOTICE, "provoke: %s: %s", name, provocations[i].shows);
    crash_register_region("office", &office, sizeof office, CRASH_REGION_SMALL);
    provocations[i].fail();
    if (!provocations[i].goes_on)
        log_print(LOG_ERROR, "provoke: %s did not fail", name);
    leave(provocations[i].goes_on ? EXIT_AS_EXPECTED : EXIT_NOT_FAILED);
}
