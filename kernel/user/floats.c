/*
 * floats.c - keeps numbers in x87 and SSE registers while others run, and finds them unchanged.
 *
 * The argument is how often to look; every program that runs has other numbers, by its thread's id.
 */
#include "kernel/user/library/user.h"

enum {
    REGISTERS = 16,
    DEFAULT_ROUNDS = 2000,
    SPINS = 2000,
};

struct registers {
    uint64_t xmm[REGISTERS][2];
};

/* Load all of SSE, spin or call the kernel, and store it again. */
static void hold(const struct registers *load, struct registers *store, uint64_t spins, long number)
{
    __asm__ volatile("movups 0x00(%[load]), %%xmm0; movups 0x10(%[load]), %%xmm1;"
                     "movups 0x20(%[load]), %%xmm2; movups 0x30(%[load]), %%xmm3;"
                     "movups 0x40(%[load]), %%xmm4; movups 0x50(%[load]), %%xmm5;"
                     "movups 0x60(%[load]), %%xmm6; movups 0x70(%[load]), %%xmm7;"
                     "movups 0x80(%[load]), %%xmm8; movups 0x90(%[load]), %%xmm9;"
                     "movups 0xa0(%[load]), %%xmm10; movups 0xb0(%[load]), %%xmm11;"
                     "movups 0xc0(%[load]), %%xmm12; movups 0xd0(%[load]), %%xmm13;"
                     "movups 0xe0(%[load]), %%xmm14; movups 0xf0(%[load]), %%xmm15;"
                     "1: subq $1, %[spins]; jnz 1b;"
                     "int $0x80;"
                     "movups %%xmm0, 0x00(%[store]); movups %%xmm1, 0x10(%[store]);"
                     "movups %%xmm2, 0x20(%[store]); movups %%xmm3, 0x30(%[store]);"
                     "movups %%xmm4, 0x40(%[store]); movups %%xmm5, 0x50(%[store]);"
                     "movups %%xmm6, 0x60(%[store]); movups %%xmm7, 0x70(%[store]);"
                     "movups %%xmm8, 0x80(%[store]); movups %%xmm9, 0x90(%[store]);"
                     "movups %%xmm10, 0xa0(%[store]); movups %%xmm11, 0xb0(%[store]);"
                     "movups %%xmm12, 0xc0(%[store]); movups %%xmm13, 0xd0(%[store]);"
                     "movups %%xmm14, 0xe0(%[store]); movups %%xmm15, 0xf0(%[store])"
                     : [spins] "+r"(spins), "+a"(number)
                     : [load] "r"(load), [store] "r"(store)
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "memory",
                       "cc");
}

static void fill(struct registers *registers, uint64_t *state)
{
    for (size_t i = 0; i < REGISTERS; i++) {
        registers->xmm[i][0] = next_random(state);
        registers->xmm[i][1] = next_random(state);
    }
}

/* Sums that only the full precision of x87 gets right, with a rounding of the program's own. */
static void check_x87(uint16_t control)
{
    volatile long double third = 1.0L / 3.0L;
    long double sum = third;
    uint16_t seen;

    __asm__ volatile("fldcw %0" : : "m"(control));
    for (unsigned i = 0; i < SPINS; i++)
        sum = sum + third - third;
    __asm__ volatile("fnstcw %0" : "=m"(seen));
    check(sum - third < 1e-16L && third - sum < 1e-16L);
    check(seen == control);
}

static void check_mxcsr(uint32_t control)
{
    uint32_t seen;

    __asm__ volatile("ldmxcsr %0" : : "m"(control));
    yield();
    __asm__ volatile("stmxcsr %0" : "=m"(seen));
    check((seen & ~0x3fu) == control);
}

int main(const char *argument)
{
    static const uint16_t x87_roundings[] = {0x37f, 0x77f, 0xb7f, 0xf7f};
    static const uint32_t sse_roundings[] = {0x1f80, 0x3f80, 0x5f80, 0x7f80};
    uint64_t rounds = number_of(argument), state = 1 + (uint64_t)get_thread_id();

    if (rounds == 0)
        rounds = DEFAULT_ROUNDS;
    for (uint64_t i = 0; i < rounds; i++) {
        static const long numbers[] = {CALL_yield, CALL_gettid, CALL_clock};
        struct registers before, after;

        fill(&before, &state);
        hold(&before, &after, 1 + next_random(&state) % SPINS, numbers[i % 3]);
        check(memcmp(&before, &after, sizeof before) == 0);
        check_x87(x87_roundings[i % 4]);
        check_mxcsr(sse_roundings[i % 4]);
    }
    print("floats: %lu rounds\n", rounds);
    return 0;
}
