/*
 * faults.c - tries what user code must not be able to do: the case that its argument names.
 *
 * Ends with status 0 if it was right that nothing happened, 1 if it was not; the kernel ends it
 * with another one.  faults.def lists the cases; faults_survived.c has those that the kernel has to
 * survive.
 */
#include "faults.h"

#include "kernel/user/library/user.h"

#define KERNEL_TEXT ((uint64_t *)0xffffffff80101000)
#define DIRECT_MAP  ((uint64_t *)0xffff800000100000)

static const uint64_t constants[2] = {1, 2};
static volatile uint64_t data = 1;

/* What a pointer points to is not the compiler's business. */
static uint64_t *hidden(uint64_t *pointer)
{
    __asm__("" : "+r"(pointer));
    return pointer;
}

static void read_at(uint64_t *pointer)
{
    data = *(volatile uint64_t *)hidden(pointer);
}

static void write_at(uint64_t *pointer)
{
    *(volatile uint64_t *)hidden(pointer) = 0;
}

static void call(uint64_t *pointer)
{
    ((void (*)(void))(uintptr_t)hidden(pointer))();
    data = 2;
}

/* ---- Memory ---- */

static void null_read(void)
{
    read_at(NULL);
}

static void null_write(void)
{
    write_at(NULL);
}

static void null_call(void)
{
    call(NULL);
}

static void kernel_read(void)
{
    read_at(KERNEL_TEXT);
}

static void kernel_write(void)
{
    write_at(KERNEL_TEXT);
}

static void kernel_call(void)
{
    call(KERNEL_TEXT);
}

static void direct_map_read(void)
{
    read_at(DIRECT_MAP);
}

static void direct_map_write(void)
{
    write_at(DIRECT_MAP);
}

static void kernel_push(void)
{
    __asm__ volatile("movq %0, %%rsp; pushq %%rax" : : "r"(DIRECT_MAP) : "memory");
}

static void write_text(void)
{
    write_at((uint64_t *)(uintptr_t)write_at);
}

static void write_rodata(void)
{
    write_at((uint64_t *)(uintptr_t)constants);
}

static void run_data(void)
{
    call((uint64_t *)(uintptr_t)&data);
}

static void run_stack(void)
{
    uint64_t code = 0xc3;

    call(&code);
}

/* NOLINTNEXTLINE(misc-no-recursion): that is the failure */
static uint64_t recurse(volatile uint64_t *up)
{
    volatile uint64_t here[32];

    here[0] = up[0] + 1;
    return here[0] == 0 ? 0 : recurse(here) + here[0];
}

static void stack_overflow(void)
{
    data = recurse(&data);
}

static void far_below_stack(void)
{
    write_at((uint64_t *)__builtin_frame_address(0) - 2 * 4096 / sizeof(uint64_t));
}

static void past_map(void)
{
    char *pages = map(NULL, 4096, MAP_READ | MAP_WRITE);

    pages[4095] = 1;
    write_at((uint64_t *)(void *)(pages + 4096));
}

static void unmapped(void)
{
    char *pages = map(NULL, 3 * 4096, MAP_READ | MAP_WRITE);

    pages[4096] = 1;
    check(map(pages + 4096, 4096, MAP_NOTHING) == NULL);
    pages[0] = 1;
    pages[2 * 4096] = 1;
    write_at((uint64_t *)(void *)(pages + 4096));
}

/* ---- Arithmetic, instructions ---- */

static void divide(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx; divl %%ecx" : : : "eax", "ecx", "edx");
}

/* Emulators may know no SSE exceptions. */
static void divide_float(void)
{
    uint32_t unmasked = 0x1f80 & ~(1u << 9);

    __asm__ volatile("ldmxcsr %0; xorps %%xmm0, %%xmm0; movl $1, %%eax; cvtsi2ss %%eax, %%xmm1;"
                     "divss %%xmm0, %%xmm1"
                     :
                     : "m"(unmasked)
                     : "xmm0", "xmm1", "eax");
    exit(SKIPPED);
}

static void divide_x87(void)
{
    uint16_t unmasked = 0x37f & ~(1u << 2);

    __asm__ volatile("fldcw %0; fldz; fld1; fdivp; fwait" : : "m"(unmasked));
}

static void undefined(void)
{
    __builtin_trap();
}

static void sysenter(void)
{
    __asm__ volatile("sysenter" : : : "rcx", "rdx", "memory");
}

static void sysexit(void)
{
    __asm__ volatile("sysexitl" : : : "rcx", "rdx", "memory");
}

static void xsetbv(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; movl $7, %%eax; xsetbv"
                     :
                     :
                     : "eax", "ecx", "edx");
}

static void wrgsbase(void)
{
    __asm__ volatile("wrgsbase %0" : : "r"(KERNEL_TEXT));
}

/* SDM 3A 2.5, CR4.UMIP. */
static void require_umip(void)
{
    enum { FEATURES = 7, UMIP = 1 << 2 };
    uint32_t eax = FEATURES, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if ((ecx & UMIP) == 0)
        exit(SKIPPED);
}

#define STORE(instruction)                                                                         \
    static void instruction(void)                                                                  \
    {                                                                                              \
        uint8_t stored[16];                                                                        \
                                                                                                   \
        require_umip();                                                                            \
        __asm__ volatile(#instruction " %0" : "=m"(stored));                                       \
    }

STORE(sgdt)
STORE(sidt)
STORE(sldt)
STORE(str)
STORE(smsw)

/* ---- Debugging itself ---- */

static void int3(void)
{
    __asm__ volatile("int3");
}

#define SET_TF    "pushfq; orq $0x100, (%%rsp); popfq;"
#define SHADOW    "movl %%ss, %%ebx; " SET_TF "movl %%ebx, %%ss;"
#define CLEAR_TF  "; pushfq; andq $~0x100, (%%rsp); popfq"
#define CLOBBERED "rcx", "r11", "rbx", "memory"

#define STEP(name, instructions)                                                                   \
    static void name(void)                                                                         \
    {                                                                                              \
        long number = CALL_gettid;                                                                 \
                                                                                                   \
        __asm__ volatile(instructions CLEAR_TF : "+a"(number) : : CLOBBERED);                      \
    }

STEP(single_step, SET_TF "nop")
STEP(single_step_interrupt, SET_TF "int $0x80")
STEP(single_step_syscall, SET_TF "syscall")
STEP(shadow_int3, SHADOW "int3")
STEP(shadow_interrupt, SHADOW "int $0x80")
STEP(shadow_syscall, SHADOW "syscall")

/* ---- Threads ---- */

static void fault_in_thread(void *argument)
{
    (void)argument;
    null_write();
}

static void thread_fault(void)
{
    check(!is_error(spawn_thread(fault_in_thread, NULL)));
    for (;;)
        __asm__ volatile("pause");
}

static void sleeper_fault(void)
{
    check(!is_error(spawn_thread(fault_in_thread, NULL)));
    sleep_us(UINT64_MAX);
}

/* ---- By name ---- */

#define PRIVILEGED(name, instructions)                                                             \
    static void privileged_##name(void)                                                            \
    {                                                                                              \
        __asm__ volatile(instructions "" : : : "rax", "rcx", "rdx", "memory");                     \
    }
#define FAULT(name, end, what)
#include "faults.def"
#undef PRIVILEGED
#undef FAULT

static const struct fault {
    const char *name;
    void (*run)(void);
} faults[] = {
#define PRIVILEGED(name, instructions) {#name, privileged_##name},
#define FAULT(name, end, what)         {#name, (name)},
#include "faults.def"
#undef PRIVILEGED
#undef FAULT
};

/* Is that the name, with - for _? */
static bool is_named(const char *name, const char *argument)
{
    while (*name != '\0' && (*name == *argument || (*name == '_' && *argument == '-'))) {
        name++;
        argument++;
    }
    return *name == '\0' && *argument == '\0';
}

int main(const char *argument)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (!is_named(faults[i].name, argument))
            continue;
        faults[i].run();
        return NOTHING;
    }
    print("faults: there is no case \"%s\"\n", argument);
    return 1;
}
