/*
 * debuggee.c - a program to be debugged: something for each thing that a debugger is asked to do.
 *
 * The lines that tests name are marked with a comment of capital letters.
 */
#include "kernel/app.h"

#define KEEP __attribute__((noinline, noclone))

struct parcel {
    int number;
    double weight;
    const char *addressee;
};

struct pair {
    long first, second;
};

const char greeting[] = "greetings from read-only memory";
struct parcel parcel = {7, 2.5, "Ada"};
long values[8] = {10, 20, 30, 40, 50, 60, 70, 80};
volatile long total;
volatile long spins;
volatile int stop_spinning;
volatile int quiet; /* no interrupt may come */
volatile int status;

KEEP long add(long a, long b)
{
    return a + b; /* ADDING */
}

KEEP double scale(double x, float factor)
{
    return x * factor;
}

KEEP long double third(long double x)
{
    return x / 3;
}

KEEP struct pair swap(long first, long second)
{
    struct pair pair = {second, first};

    return pair;
}

KEEP struct parcel heavier(struct parcel parcel, double by)
{
    parcel.weight += by;
    return parcel;
}

KEEP long factorial(long n)
{
    if (n <= 1)
        return 1; /* DEEPEST */
    return n * factorial(n - 1);
}

KEEP long poke(long *address)
{
    *address = 1;
    return *address;
}

KEEP void count_to(long limit)
{
    for (long i = 1; i <= limit; i++)
        total += i; /* COUNTING */
}

KEEP void spin(void)
{
    if (quiet)
        __asm__ volatile("cli");
    while (!stop_spinning) {
        if (spins++ % 10000 == 0)
            kapp_putc('.');
    }
    __asm__ volatile("sti");
}

/* Nothing but nops, each one instruction of one byte. */
void nops(void);
__asm__(".pushsection .text\n"
        ".type nops, @function\n"
        "nops: .fill 100, 1, 0x90\n"
        "ret\n"
        ".size nops, . - nops\n"
        ".popsection\n");

/* Load every general register from `loaded`, stop, and store them all in `stored`. */
unsigned long loaded[16], stored[16]; /* rax rbx rcx rdx rsi rdi rbp - r8 ... r15 */
void exchange_registers(void);
__asm__(".pushsection .text\n"
        ".type exchange_registers, @function\n"
        "exchange_registers:\n"
        "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
        "mov loaded+0, %rax\n mov loaded+8, %rbx\n mov loaded+16, %rcx\n mov loaded+24, %rdx\n"
        "mov loaded+32, %rsi\n mov loaded+40, %rdi\n mov loaded+48, %rbp\n mov loaded+64, %r8\n"
        "mov loaded+72, %r9\n mov loaded+80, %r10\n mov loaded+88, %r11\n mov loaded+96, %r12\n"
        "mov loaded+104, %r13\n mov loaded+112, %r14\n mov loaded+120, %r15\n"
        ".globl registers_loaded\n"
        "registers_loaded: nop\n"
        "mov %rax, stored+0\n mov %rbx, stored+8\n mov %rcx, stored+16\n mov %rdx, stored+24\n"
        "mov %rsi, stored+32\n mov %rdi, stored+40\n mov %rbp, stored+48\n mov %r8, stored+64\n"
        "mov %r9, stored+72\n mov %r10, stored+80\n mov %r11, stored+88\n mov %r12, stored+96\n"
        "mov %r13, stored+104\n mov %r14, stored+112\n mov %r15, stored+120\n"
        "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n"
        "ret\n"
        ".size exchange_registers, . - exchange_registers\n"
        ".popsection\n");

int main(void)
{
    long sum = add(values[0], values[1]); /* FIRST */
    double scaled = scale(parcel.weight, 2.0f);
    long double exact = third(10);

    parcel = heavier(parcel, scaled);
    sum += factorial(5);
    sum += swap(1, sum).first;
    nops();
    exchange_registers();
    count_to(1000);
    __asm__ volatile("int3");
    poke(&values[2]);
    total += sum + (long)exact;
    spin(); /* SPINNING */
    return status;
}
