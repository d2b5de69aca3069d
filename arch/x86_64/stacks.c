/*
 * stacks.c - owns each CPU's stacks.  The first CPU's are in the image, for it needs them before
 * there is any memory; the others' are mapped when it is known that there is such a CPU.
 */
#include "stacks.h"

#include "descriptors.h"
#include "frame.h"
#include "regions.h"

enum stack_sizes {
    IST_BYTES = 8 * 1024,
    PURPOSE_BYTES = 16 * 1024,
    START_BYTES = 16 * 1024,
    FIRST_CPU_BYTES = IST_SLOTS * (ARCH_PAGE_BYTES + IST_BYTES) +
                      ARCH_STACK_PURPOSES * (ARCH_PAGE_BYTES + PURPOSE_BYTES),
    NAME_BYTES = 32,
};

/* Which stack: of a slot, of a purpose, or START. */
enum stack_index {
    SLOTS = 0,
    PURPOSES = IST_SLOTS,
    EMERGENCIES = PURPOSES + ARCH_STACK_PURPOSES, /* those before are for traps */
    START = EMERGENCIES,
    STACKS,
};

static const struct {
    size_t bytes;
    const char *name;
} kinds[STACKS] = {
    [SLOTS + IST_NMI - 1] = {IST_BYTES, "NMI entry stack"},
    [SLOTS + IST_DOUBLE_FAULT - 1] = {IST_BYTES, "double fault stack"},
    [SLOTS + IST_MACHINE_CHECK - 1] = {IST_BYTES, "machine check stack"},
    [SLOTS + IST_DEBUG - 1] = {IST_BYTES, "debug exception stack"},
    [SLOTS + IST_BREAKPOINT - 1] = {IST_BYTES, "breakpoint stack"},
    [PURPOSES + ARCH_STACK_DEBUGGER] = {PURPOSE_BYTES, "debugger stack"},
    [PURPOSES + ARCH_STACK_FATAL] = {PURPOSE_BYTES, "fatal stack"},
    [PURPOSES + ARCH_STACK_EXCEPTION] = {PURPOSE_BYTES, "exception stack"},
    [PURPOSES + ARCH_STACK_NMI] = {PURPOSE_BYTES, "NMI stack"},
    [START] = {START_BYTES, "start stack"},
};

static struct {
    uint64_t bottoms[ARCH_CPUS][STACKS]; /* 0: not mapped */
    char names[ARCH_CPUS][STACKS][NAME_BYTES];
} stacks;

/* Each stack grows down into its guard page, which paging.c takes away. */
static uint8_t first_cpu[FIRST_CPU_BYTES] __attribute__((aligned(ARCH_PAGE_BYTES)));

/* boot.asm */
extern uint8_t boot_stack[], boot_stack_top[];

static uint64_t address_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

static void list_stack(uint64_t bottom, size_t bytes, const char *name)
{
    region_add(bottom, bottom + bytes, CRASH_MAP_STACK, CRASH_MAP_READ | CRASH_MAP_WRITE, name);
    region_add(bottom - ARCH_PAGE_BYTES, bottom, CRASH_MAP_GUARD, 0, name);
}

void stacks_init(void)
{
    uint64_t at = address_of(first_cpu);

    list_stack(address_of(boot_stack), (size_t)(boot_stack_top - boot_stack), "boot stack");
    for (size_t i = 0; i < EMERGENCIES; i++) {
        stacks.bottoms[0][i] = at + ARCH_PAGE_BYTES;
        list_stack(stacks.bottoms[0][i], kinds[i].bytes, kinds[i].name);
        at += ARCH_PAGE_BYTES + kinds[i].bytes;
    }
}

/* "CPU 2 NMI stack" */
static const char *name_stack(unsigned cpu, size_t stack)
{
    static const char prefix[] = {'C', 'P', 'U', ' '};
    char *name = stacks.names[cpu][stack];
    size_t len = 0;

    _Static_assert(ARCH_CPUS <= 10, "one digit");
    for (size_t i = 0; i < sizeof(prefix); i++)
        name[len++] = prefix[i];
    name[len++] = (char)('0' + cpu);
    name[len++] = ' ';
    for (const char *c = kinds[stack].name; *c != '\0' && len < NAME_BYTES - 1; c++)
        name[len++] = *c;
    return name;
}

bool stacks_map(unsigned cpu)
{
    for (size_t i = 0; i < STACKS; i++) {
        if (stacks.bottoms[cpu][i] == 0)
            stacks.bottoms[cpu][i] =
                address_of(arch_map_pages(kinds[i].bytes, CRASH_MAP_STACK, name_stack(cpu, i)));
        if (stacks.bottoms[cpu][i] == 0)
            return false;
    }
    return true;
}

static uint64_t stack_top(unsigned cpu, size_t stack)
{
    return stacks.bottoms[cpu][stack] + kinds[stack].bytes;
}

uint64_t ist_stack_top(unsigned cpu, unsigned slot)
{
    return stack_top(cpu, SLOTS + slot - 1);
}

uint64_t purpose_stack_top(unsigned cpu, enum arch_stack_purpose purpose)
{
    return stack_top(cpu, PURPOSES + purpose);
}

uint64_t start_stack_top(unsigned cpu)
{
    return stack_top(cpu, START);
}

static bool is_on(uint64_t address, unsigned cpu, size_t stack)
{
    return stacks.bottoms[cpu][stack] <= address && address < stack_top(cpu, stack);
}

bool is_on_purpose_stack(uint64_t address, enum arch_stack_purpose purpose)
{
    return is_on(address, arch_cpu_id(), PURPOSES + purpose);
}

bool is_emergency_stack(uint64_t address)
{
    unsigned cpu = arch_cpu_id();

    for (size_t i = 0; i < EMERGENCIES; i++) {
        if (is_on(address, cpu, i))
            return true;
    }
    return false;
}

bool arch_in_trap(const struct trap_frame *frame)
{
    return is_emergency_stack(frame->rsp);
}

/* The frame may be of another CPU than the one that asks. */
bool arch_in_debug_trap(const struct trap_frame *frame)
{
    for (unsigned cpu = 0; cpu < arch_cpu_count(); cpu++) {
        if (is_on(frame->rsp, cpu, SLOTS + IST_DEBUG - 1) ||
            is_on(frame->rsp, cpu, SLOTS + IST_BREAKPOINT - 1))
            return true;
    }
    return false;
}
