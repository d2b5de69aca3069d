/*
 * faults_survived.c - what a program may do, or the kernel refuses with an error: it goes on, and
 * checks that all is as before.
 */
#include "faults.h"

#include "kernel/user/library/user.h"

enum sizes {
    PAGE = 4096,
    PAGES = 16,
    DEEP_BYTES = 200 * 1024,
};

#define USER_START     0x10000ul
#define USER_END       0x7ffffffff000ul
#define NON_CANONICAL  0x800000000000ul
#define KERNEL_ADDRESS 0xffffffff80101000ul

/* Addresses and numbers that are never a program's memory. */
static const uint64_t wild[] = {
    0,
    1,
    USER_START - 1,
    USER_END,
    NON_CANONICAL - 1,
    NON_CANONICAL,
    0x8000000000000000,
    0xffff7fffffffffff,
    0xffff800000000000,
    0xffffff8000001000,
    KERNEL_ADDRESS,
    UINT64_MAX - PAGE,
    UINT64_MAX,
};

enum {
    WILD = sizeof wild / sizeof wild[0],
};

/* ---- Memory ---- */

void stack_growth(void)
{
    volatile char deep[DEEP_BYTES];

    for (size_t i = DEEP_BYTES; i > 0; i -= PAGE / 2)
        deep[i - 1] = (char)(i / PAGE); /* from the stack pointer's far side to the near */
    for (size_t i = DEEP_BYTES; i > 0; i -= PAGE / 2)
        check(deep[i - 1] == (char)(i / PAGE));
}

static volatile uint64_t initialised[PAGES * PAGE / sizeof(uint64_t)] = {[0] = 7, [PAGE] = 9};

/* Every instance finds what the file says, whatever others have written. */
void copy_on_write(void)
{
    uint64_t mine = (uint64_t)get_thread_id();

    check(initialised[0] == 7 && initialised[PAGE] == 9);
    for (size_t i = 0; i < sizeof initialised / sizeof initialised[0]; i += 64)
        initialised[i] = mine + i;
    yield();
    for (size_t i = 0; i < sizeof initialised / sizeof initialised[0]; i += 64)
        check(initialised[i] == mine + i);
}

void zero_pages(void)
{
    volatile char *pages = map(NULL, (size_t)PAGES * PAGE, MAP_READ | MAP_WRITE);

    check(!is_error((long)pages));
    for (size_t i = 0; i < (size_t)PAGES * PAGE; i++)
        check(pages[i] == 0);
    for (size_t i = 0; i < PAGES; i += 2)
        pages[i * PAGE] = (char)(i + 1);
    for (size_t i = 0; i < PAGES; i++)
        check(pages[i * PAGE] == (i % 2 == 0 ? (char)(i + 1) : 0));
    check(map((void *)pages, (size_t)PAGES * PAGE, MAP_NOTHING) == NULL);
    check(map((void *)pages, (size_t)PAGES * PAGE, MAP_READ | MAP_WRITE) == pages);
    for (size_t i = 0; i < PAGES; i++)
        check(pages[i * PAGE] == 0);
}

/* ---- The processor's state ---- */

enum flag {
    FLAG_IF = 1 << 9,
    FLAG_DF = 1 << 10,
    FLAG_IOPL = 3 << 12,
    FLAG_NT = 1 << 14,
    FLAG_VM = 1 << 17,
    FLAG_AC = 1 << 18,
};

static uint64_t read_flags(void)
{
    uint64_t value;

    __asm__ volatile("pushfq; popq %0" : "=r"(value));
    return value;
}

static void write_flags(uint64_t value)
{
    __asm__ volatile("pushq %0; popfq" : : "r"(value) : "memory", "cc");
}

/* Call both ways with the flags set; the kernel copies and prints meanwhile.  The calls themselves
 * must not be in C: that wants DF clear. */
static void call_with_flags(uint64_t set)
{
    static const char text[] = "flags\n";
    uint64_t normal = read_flags(), changed = normal | set;
    long by_interrupt = CALL_write, by_syscall = CALL_write;

    __asm__ volatile("pushq %[changed]; popfq; int $0x80; pushq %[normal]; popfq"
                     : "+a"(by_interrupt)
                     : "D"(OUTPUT), "S"(text),
                       "d"(sizeof text - 1), [changed] "r"(changed), [normal] "r"(normal)
                     : "memory", "cc");
    __asm__ volatile("pushq %[changed]; popfq; syscall; pushq %[normal]; popfq"
                     : "+a"(by_syscall)
                     : "D"(OUTPUT), "S"(text),
                       "d"(sizeof text - 1), [changed] "r"(changed), [normal] "r"(normal)
                     : "rcx", "r11", "memory", "cc");
    check(by_interrupt == sizeof text - 1);
    check(by_syscall == sizeof text - 1);
}

void flags(void)
{
    static const uint64_t settable[] = {FLAG_DF, FLAG_NT, FLAG_AC, FLAG_DF | FLAG_NT | FLAG_AC};

    write_flags((read_flags() & ~(uint64_t)FLAG_IF) | FLAG_IOPL);
    check((read_flags() & FLAG_IF) != 0);
    check((read_flags() & FLAG_IOPL) == 0);
    write_flags(read_flags() | FLAG_VM);
    check((read_flags() & FLAG_VM) == 0);
    for (size_t i = 0; i < sizeof settable / sizeof settable[0]; i++)
        call_with_flags(settable[i]);
}

/* The kernel has stacks of its own, and touches a program's only if it is told to. */
void wild_stack_pointer(void)
{
    for (size_t i = 0; i < WILD; i++) {
        long by_interrupt = CALL_gettid, by_syscall = CALL_gettid;

        __asm__ volatile("movq %%rsp, %%rbx; movq %[wild], %%rsp; int $0x80; movq %%rbx, %%rsp"
                         : "+a"(by_interrupt)
                         : [wild] "r"(wild[i])
                         : "rbx", "memory");
        __asm__ volatile("movq %%rsp, %%rbx; movq %[wild], %%rsp; syscall; movq %%rbx, %%rsp"
                         : "+a"(by_syscall)
                         : [wild] "r"(wild[i])
                         : "rbx", "rcx", "r11", "memory");
        check(by_interrupt == get_thread_id() && by_syscall == by_interrupt);
    }
}

/* Any selector of user code loads; calls, page faults and other threads' turns do not mind. */
void segments(void)
{
    static volatile uint64_t untouched[4 * PAGE / sizeof(uint64_t)];
    uint32_t user_data;

    __asm__ volatile("movl %%ss, %0" : "=r"(user_data));
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t selector = i == 0 ? 0 : user_data, seen;

        __asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs; movl %0, %%gs"
                         :
                         : "r"(selector)
                         : "memory");
        check(call_by_interrupt(CALL_gettid, 0, 0, 0, 0) == get_thread_id());
        untouched[(i + 1) * PAGE / sizeof(uint64_t)]++;
        sleep_us(1);
        __asm__ volatile("movl %%gs, %0" : "=r"(seen));
        check(seen == selector);
    }
}

/* ---- Arguments ---- */

static void call_with_pointer(uint64_t pointer)
{
    static char name[] = "hello";

    check(is_error(write(OUTPUT, (const void *)pointer, 1)));
    check(is_error(write(OUTPUT, (const void *)pointer, PAGE)));
    check(is_error(write(OUTPUT, (const void *)pointer, SIZE_MAX)));
    check(is_error(system_call(CALL_spawn, 0, 0, (long)pointer, (long)name)));
    if (pointer != 0)
        check(is_error(spawn((const char *)pointer, "")));
    if (pointer != 0)
        check(is_error(spawn(name, (const char *)pointer)));
    check(is_error(wait(0, (uint32_t *)pointer)));
}

/* Lengths that would wrap around, or lead from a program's memory into other. */
static void call_with_lengths(void)
{
    static char last[PAGE] __attribute__((aligned(4096))) = "x";
    uint64_t end = (uint64_t)last + sizeof last;

    check(is_error(write(OUTPUT, last, SIZE_MAX)));
    check(is_error(write(OUTPUT, last, SIZE_MAX - (uint64_t)last + 1)));
    check(is_error(write(OUTPUT, last, SIZE_MAX - (uint64_t)last + 2)));
    check(is_error(write(OUTPUT, last, USER_END - (uint64_t)last + 1)));
    check(write(OUTPUT, last, 0) == 0);
    check(is_error(spawn((const char *)end - 1, ""))); /* there is no program called "" */
}

void wild_pointers(void)
{
    for (size_t i = 0; i < WILD; i++)
        call_with_pointer(wild[i]);
    call_with_lengths();
}

static bool is_refused_map(uint64_t address, uint64_t len, unsigned long permissions)
{
    return is_error(system_call(CALL_map, (long)address, (long)len, (long)permissions, 0));
}

void wild_maps(void)
{
    static const uint64_t lengths[] = {1, PAGE, USER_END, 1ul << 63, UINT64_MAX - PAGE, UINT64_MAX};

    for (size_t i = 0; i < WILD; i++) {
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
            check(wild[i] == 0 || is_refused_map(wild[i], lengths[j], MAP_READ));
            check(wild[i] == 0 || is_refused_map(wild[i], lengths[j], MAP_READ | MAP_WRITE));
            check(is_refused_map(wild[i], lengths[j], MAP_NOTHING));
        }
    }
    check(is_refused_map(0, PAGE, MAP_WRITE));
    check(is_refused_map(0, PAGE, 4));                        /* executable */
    check(is_refused_map(0, PAGE, MAP_READ | MAP_WRITE | 4)); /* ... and writable */
    check(is_refused_map(0, PAGE, UINT64_MAX));
    check(is_refused_map(0, 0, MAP_READ));
    check(is_refused_map((uint64_t)wild_maps & ~4095ul, PAGE, MAP_READ | MAP_WRITE)); /* its code */
    check(is_refused_map(0x100000000001, PAGE, MAP_READ)); /* not a page's address */
}

/* None of the arguments can be right for what would end or stop this program. */
void wild_calls(void)
{
    uint64_t state = clock_us() | 1;

    for (unsigned i = 0; i < 4000; i++) {
        long number = (long)(next_random(&state) % 16);
        uint64_t a = wild[next_random(&state) % WILD], b = wild[next_random(&state) % WILD];
        uint64_t c = wild[next_random(&state) % WILD], d = wild[next_random(&state) % WILD];

        if (number == CALL_exit || number == CALL_sleep)
            continue;
        if (i % 2 == 0)
            (void)call_by_interrupt(number, (long)a, (long)b, (long)c, (long)d);
        else
            (void)call_by_syscall(number, (long)a, (long)b, (long)c, (long)d);
    }
}
