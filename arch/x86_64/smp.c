/*
 * smp.c - several CPUs: starts them, knows how their local APICs are called, interrupts them.
 *
 * CPUs are numbered in the order of ACPI's table, the one that has booted first.  One that does not
 * answer is put back to where the firmware left it, and its number goes to the next.
 */
#include "smp.h"

#include "arch/arch.h"
#include "descriptors.h"
#include "instructions.h"
#include "interrupts.h"
#include "local_apic.h"
#include "memory_layout.h"
#include "page_tables.h"
#include "stacks.h"

enum smp_waits {
    INIT_US = 10000,  /* SDM 3A 8.4.4.1 */
    STARTUP_US = 200, /* before it is sent again */
    ANSWER_US = 1000000,
};

enum low_memory {
    LOW_START = ARCH_PAGE_BYTES, /* page 0 is the firmware's */
    LOW_END = 0xa0000,
};

#define EFER_LMA ((uint64_t)1 << 10) /* is the processor's to set */

/* Of the CPU that is being started.  Whoever changes it from WAITED_FOR decides. */
enum smp_answer {
    WAITED_FOR,
    ANSWERED,
    GIVEN_UP,
};

static struct {
    uint32_t found[ACPI_CPUS]; /* local APICs, without the first CPU's */
    size_t found_count;
    uint32_t apic_ids[ARCH_CPUS]; /* by number, of those that run and the one that starts */
    unsigned count;
    enum smp_answer answer;
    void (*enter)(unsigned cpu);
} smp = {.count = 1};

struct ap_start ap_start;

unsigned arch_cpu_count(void)
{
    return __atomic_load_n(&smp.count, __ATOMIC_ACQUIRE);
}

void smp_init(const struct acpi_madt *madt)
{
    smp.apic_ids[0] = local_apic_id();
    for (size_t i = 0; i < madt->cpu_count; i++) {
        if (madt->cpus[i] != smp.apic_ids[0] && local_apic_can_reach(madt->cpus[i]))
            smp.found[smp.found_count++] = madt->cpus[i];
    }
}

/* ---- The page where they begin ---- */

static bool is_free(uint64_t page)
{
    const struct arch_boot_info *info = arch_boot_info();
    bool usable = false;

    for (size_t i = 0; i < info->range_count; i++) {
        const struct arch_memory_range *range = &info->ranges[i];

        if (range->kind == ARCH_MEMORY_USABLE && range->start <= page &&
            page + ARCH_PAGE_BYTES <= range->end)
            usable = true;
    }
    for (size_t i = 0; i < info->module_count; i++) {
        if (page + ARCH_PAGE_BYTES > info->modules[i].start && page < info->modules[i].end)
            return false;
    }
    return usable;
}

/* 0: there is none. */
static uint64_t find_low_page(void)
{
    for (uint64_t page = LOW_START; page < LOW_END; page += ARCH_PAGE_BYTES) {
        if (is_free(page))
            return page;
    }
    return 0;
}

/* Exchange what is at the page's beginning with `bytes`. */
static void swap(uint64_t page, uint8_t bytes[AP_TRAMPOLINE_BYTES])
{
    uint8_t *there = direct(page);

    for (size_t i = 0; i < AP_TRAMPOLINE_BYTES; i++) {
        uint8_t byte = there[i];

        there[i] = bytes[i];
        bytes[i] = byte;
    }
}

/* ---- Starting one ---- */

static enum smp_answer answer(void)
{
    return __atomic_load_n(&smp.answer, __ATOMIC_ACQUIRE);
}

/* True if it was still WAITED_FOR. */
static bool decide(enum smp_answer decision)
{
    enum smp_answer waited_for = WAITED_FOR;

    return __atomic_compare_exchange_n(&smp.answer, &waited_for, decision, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static bool wait_for_answer(uint64_t us)
{
    struct arch_wait wait = arch_wait_for(us);

    while (answer() == WAITED_FOR && arch_wait_on(&wait))
        ;
    return answer() == ANSWERED;
}

static void wait_us(uint64_t us)
{
    uint64_t begin = arch_time_us();

    while (arch_time_us() - begin < us)
        arch_pause();
}

/* The second message is for those that have missed the first (SDM 3A 8.4.4.1). */
static bool wake(uint32_t apic_id, uint64_t page)
{
    uint32_t startup = LOCAL_APIC_STARTUP | (uint32_t)(page / ARCH_PAGE_BYTES);

    local_apic_send(apic_id, startup);
    if (wait_for_answer(STARTUP_US))
        return true;
    local_apic_send(apic_id, startup);
    return wait_for_answer(ANSWER_US);
}

static bool start(unsigned cpu, uint32_t apic_id, uint64_t page)
{
    ap_start = (struct ap_start){
        .cr0 = read_cr0(),
        .cr4 = read_cr4(),
        .efer = rdmsr(MSR_EFER) & ~EFER_LMA,
        .root = read_cr3(),
        .stack_top = start_stack_top(cpu),
        .cpu = cpu,
    };
    smp.apic_ids[cpu] = apic_id;
    __atomic_store_n(&smp.answer, WAITED_FOR, __ATOMIC_RELEASE);
    if (wake(apic_id, page) || !decide(GIVEN_UP)) {
        __atomic_store_n(&smp.count, cpu + 1, __ATOMIC_RELEASE); /* if it has not done so yet */
        return true;
    }
    local_apic_send(apic_id, LOCAL_APIC_INIT); /* wherever it is: it must not come any more */
    return false;
}

static void start_all(unsigned limit, uint64_t page)
{
    for (size_t i = 0; i < smp.found_count; i++)
        local_apic_send(smp.found[i], LOCAL_APIC_INIT);
    wait_us(INIT_US);
    for (size_t i = 0; i < smp.found_count && arch_cpu_count() < limit; i++) {
        if (!stacks_map(arch_cpu_count()))
            return;
        (void)start(arch_cpu_count(), smp.found[i], page);
    }
}

unsigned arch_start_cpus(unsigned limit, void (*enter)(unsigned cpu))
{
    uint64_t page = find_low_page();
    uint8_t bytes[AP_TRAMPOLINE_BYTES];

    if (limit > ARCH_CPUS)
        limit = ARCH_CPUS;
    if (page == 0 || smp.found_count == 0 || arch_cpu_count() >= limit)
        return arch_cpu_count();
    smp.enter = enter;
    __builtin_memcpy(bytes, ap_trampoline, sizeof(bytes));
    swap(page, bytes);
    start_all(limit, page);
    swap(page, bytes);
    return arch_cpu_count();
}

void smp_enter(unsigned cpu)
{
    descriptors_load(cpu);
    paging_init_cpu();
    local_apic_init_cpu();
    if (decide(ANSWERED)) {
        __atomic_store_n(&smp.count, cpu + 1, __ATOMIC_RELEASE);
        smp.enter(cpu);
    }
    arch_halt();
}

/* ---- Interrupting one ---- */

uint32_t smp_apic_id(unsigned cpu)
{
    return smp.apic_ids[cpu];
}

static void send(unsigned cpu, uint32_t message)
{
    if (cpu < arch_cpu_count())
        local_apic_send(smp.apic_ids[cpu], message);
}

void arch_send_interrupt(unsigned cpu, enum arch_interrupt interrupt)
{
    send(cpu, interrupt == ARCH_INTERRUPT_FLUSH ? VECTOR_FLUSH : VECTOR_RESCHEDULE);
}

void arch_send_nmi(unsigned cpu)
{
    send(cpu, LOCAL_APIC_NMI);
}
