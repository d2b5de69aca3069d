/*
 * test_execute.c - arch_execute() does to a frame what the processor does: each instruction is also
 * stepped natively, by TF in a signal's context, with the same registers and the same memory.
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

/* Before cmocka.h, which has macros of such names. */
#include "arch/x86_64/arithmetic.c"
#include "arch/x86_64/decode.c"
#include "arch/x86_64/execute.c"

#include <cmocka.h>

#include "instructions.h"

enum {
    PAGE = 4096,
    ROUNDS = 200,
    REGISTERS = 16,
    STATUS = 0x8d5, /* OF SF ZF AF PF CF */
    TRAP_FLAG = 1 << 8,
};

/* ---- What execute.c needs of the kernel ---- */

static bool watching;

bool points_watch(void)
{
    return watching;
}

static struct {
    uint8_t *code, *data, *data_before, *data_native;
} pages;

static bool is_data(uint64_t address, size_t len)
{
    uint64_t start = (uint64_t)(uintptr_t)pages.data;

    return address >= start && address <= start + PAGE - len;
}

size_t arch_copy_from(void *to, uint64_t from, size_t len)
{
    memcpy(to, (const void *)(uintptr_t)from, len);
    return len;
}

#define PROBE(bytes, type)                                                                         \
    bool probe_read_##bytes(uint64_t address, uint64_t *value)                                     \
    {                                                                                              \
        type word;                                                                                 \
        if (!is_data(address, bytes))                                                              \
            return false;                                                                          \
        memcpy(&word, (const void *)(uintptr_t)address, bytes);                                    \
        *value = word;                                                                             \
        return true;                                                                               \
    }                                                                                              \
    bool probe_write_##bytes(uint64_t address, uint64_t value)                                     \
    {                                                                                              \
        if (is_data(address, bytes))                                                               \
            memcpy((void *)(uintptr_t)address, &value, bytes);                                     \
        return is_data(address, bytes);                                                            \
    }
PROBE(1, uint8_t)
PROBE(2, uint16_t)
PROBE(4, uint32_t)
PROBE(8, uint64_t)

/* ---- The processor ---- */

static const int numbers[REGISTERS] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                       REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                       REG_R12, REG_R13, REG_R14, REG_R15};

static struct {
    struct trap_frame *frame;
    ucontext_t back;
    int signal; /* that ended the step */
} native;

static uint64_t *reg_of(struct trap_frame *frame, int number)
{
    return (uint64_t *)(void *)((uint8_t *)frame + register_offsets[number]);
}

static void begin_step(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)signal;
    (void)info;
    memcpy(&native.back.uc_mcontext.gregs, regs, sizeof(native.back.uc_mcontext.gregs));
    for (int i = 0; i < REGISTERS; i++)
        regs[numbers[i]] = (greg_t)*reg_of(native.frame, i);
    regs[REG_RIP] = (greg_t)native.frame->rip;
    regs[REG_EFL] = (greg_t)(native.frame->rflags | TRAP_FLAG);
}

static void end_step(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)info;
    native.signal = signal;
    for (int i = 0; i < REGISTERS; i++)
        *reg_of(native.frame, i) = (uint64_t)regs[numbers[i]];
    native.frame->rip = (uint64_t)regs[REG_RIP];
    native.frame->rflags = (uint64_t)regs[REG_EFL] & ~(uint64_t)TRAP_FLAG;
    memcpy(regs, &native.back.uc_mcontext.gregs, sizeof(native.back.uc_mcontext.gregs));
}

static void step_natively(struct trap_frame *frame)
{
    native.frame = frame;
    raise(SIGUSR1);
}

static int set_up(void **state)
{
    static uint8_t stack[64 * 1024];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction begin = {.sa_sigaction = begin_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    struct sigaction end = {.sa_sigaction = end_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    (void)state;
    pages.code = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    pages.data = pages.code + PAGE;
    pages.data_before = pages.code + 2 * PAGE;
    pages.data_native = pages.code + 3 * PAGE;
    sigaltstack(&alternate, NULL);
    sigaction(SIGUSR1, &begin, NULL);
    sigaction(SIGTRAP, &end, NULL);
    sigaction(SIGSEGV, &end, NULL);
    return pages.code == MAP_FAILED;
}

/* ---- Instructions ---- */

static size_t assemble(const char *hex, uint8_t *code)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        code[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return len;
}

static uint64_t random_word(void)
{
    static const uint64_t edges[] = {0,          1,          0x7f,      0x80,
                                     0xff,       0x7fff,     0x8000,    0x7fffffff,
                                     0x80000000, 0xffffffff, INT64_MAX, (uint64_t)1 << 63,
                                     UINT64_MAX};
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % 3 == 0 ? edges[state / 3 % (sizeof(edges) / sizeof(edges[0]))] : state;
}

static void shuffle(struct trap_frame *frame)
{
    uint64_t middle = (uint64_t)(uintptr_t)pages.data + PAGE / 2;
    uint64_t *word = (uint64_t *)(void *)pages.data;

    memset(frame, 0, sizeof(*frame));
    for (int i = 0; i < REGISTERS; i++)
        *reg_of(frame, i) = random_word();
    for (size_t i = 0; i < PAGE / sizeof(*word); i++)
        word[i] = random_word();
    frame->rbx = middle;
    frame->rbp = middle + 256;
    frame->rsi = middle - 256;
    frame->r12 = middle + 512;
    frame->rsp = middle - 512;
    frame->rcx = random_word() % 16;
    frame->r9 = random_word() % 16;
    frame->rip = (uint64_t)(uintptr_t)pages.code;
    frame->rflags = 0x202 | (random_word() & STATUS);
}

/* Which of the flags the manual leaves undefined. */
static uint64_t undefined_flags(const uint8_t *code)
{
    const uint8_t *at = code;

    while (*at == 0x66 || *at >> 4 == 4)
        at++;
    if ((at[0] == 0x0f && at[1] == 0xaf) || at[0] == 0x69 || at[0] == 0x6b)
        return 0xd4; /* imul: SF ZF AF PF */
    if (at[0] < 0x40 && ((at[0] >> 3) == 1 || (at[0] >> 3) == 4 || (at[0] >> 3) == 6))
        return 0x10; /* or, and, xor: AF */
    if (at[0] == 0x84 || at[0] == 0x85 || at[0] == 0xa8 || at[0] == 0xa9)
        return 0x10;
    return (at[0] == 0x81 || at[0] == 0x83) && (at[1] >> 3 & 7) == 4 ? 0x10 : 0;
}

static void compare(const char *name, const uint8_t *code)
{
    struct trap_frame frame, expected;
    uint8_t original = code[0];

    shuffle(&frame);
    if (code[0] == 0xff && code[1] >= 0xd0) /* jmp and call rax */
        frame.rax = (uint64_t)(uintptr_t)pages.data;
    expected = frame;
    memcpy(pages.data_before, pages.data, PAGE);
    step_natively(&expected);
    assert_int_equal(native.signal, SIGTRAP);
    memcpy(pages.data_native, pages.data, PAGE);
    memcpy(pages.data, pages.data_before, PAGE);
    pages.code[0] = 0xcc;           /* a breakpoint stands there */
    uint64_t address = frame.rip++; /* where the trap has left it */
    if (!arch_execute(&frame, address, &original, 1))
        fail_msg("%s: not done", name);
    pages.code[0] = original;
    uint64_t ignored = ~(uint64_t)STATUS | undefined_flags(code);
    expected.rflags |= ignored;
    frame.rflags |= ignored;
    for (int i = 0; i < REGISTERS; i++) {
        if (*reg_of(&frame, i) != *reg_of(&expected, i))
            fail_msg("%s: register %d: expected %#llx, got %#llx", name, i,
                     (unsigned long long)*reg_of(&expected, i),
                     (unsigned long long)*reg_of(&frame, i));
    }
    if (frame.rip != expected.rip)
        fail_msg("%s: rip", name);
    if (frame.rflags != expected.rflags)
        fail_msg("%s: flags: expected %#llx, got %#llx", name,
                 (unsigned long long)(expected.rflags & ~ignored),
                 (unsigned long long)(frame.rflags & ~ignored));
    if (memcmp(pages.data, pages.data_native, PAGE) != 0)
        fail_msg("%s: memory", name);
}

static void each_instruction_does_what_the_processor_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
        memset(pages.code, 0x90, 64);
        assemble(instructions[i].hex, pages.code);
        for (int round = 0; round < ROUNDS; round++)
            compare(instructions[i].name, pages.code);
    }
}

/* ---- What is left to a real step ---- */

static const struct {
    const char *hex, *name;
} left[] = {
    {"cc", "int3"},
    {"cd80", "int"},
    {"f4", "hlt"},
    {"fa", "cli"},
    {"fb", "sti"},
    {"9c", "pushf"},
    {"9d", "popf"},
    {"8ed0", "mov ss, eax"},
    {"f0480103", "lock add"},
    {"f3a4", "rep movsb"},
    {"a4", "movsb"},
    {"f390", "pause"},
    {"4190", "xchg r8d, eax"},
    {"8703", "xchg"},
    {"65488b03", "gs mov"},
    {"678b03", "32-bit address"},
    {"88e0", "mov al, ah"},
    {"b47f", "mov ah, imm"},
    {"00e0", "add al, ah"},
    {"8ac4", "mov al, ah"},
    {"0f94c4", "sete ah"},
    {"6650", "push ax"},
    {"66c3", "ret, 16 bits"},
    {"48cf", "iretq"},
    {"0f05", "syscall"},
    {"0f0b", "ud2"},
    {"0fa2", "cpuid"},
    {"f7f1", "div ecx"},
    {"f7e1", "mul ecx"},
    {"f60301", "test byte [rbx], 1"},
    {"fed0", "no such instruction"},
    {"8fc0", "pop rax, the long way"},
    {"c3", "ret to nowhere"},
    {"ff23", "jmp to nowhere"},
    {"ff13", "call nowhere"},
    {"48890425f0ffff7f", "mov [0x7ffffff0], rax"},
    {"8b0425f0ffff7f", "mov eax, [0x7ffffff0]"},
    {"480b0425f0ffff7f", "or rax, [0x7ffffff0]"},
    {"ff0425f0ffff7f", "inc dword [0x7ffffff0]"},
};

static void what_is_not_known_exactly_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        struct trap_frame frame, before;
        shuffle(&frame);
        /* nowhere: an address that is not canonical */
        memcpy(pages.data + PAGE / 2, "\0\0\0\0\0\0\0\x10", 8);
        memcpy(pages.data + PAGE / 2 - 512, "\0\0\0\0\0\0\0\x10", 8);
        memcpy(pages.data_before, pages.data, PAGE);
        memset(pages.code, 0x90, 64);
        assemble(left[i].hex, pages.code);
        before = frame;
        if (arch_execute(&frame, frame.rip, pages.code, 1))
            fail_msg("%s: was done", left[i].name);
        if (memcmp(&frame, &before, sizeof(frame)) != 0 ||
            memcmp(pages.data, pages.data_before, PAGE) != 0)
            fail_msg("%s: has changed something", left[i].name);
    }
}

static void a_push_without_a_stack_changes_nothing(void **state)
{
    static const char *const pushes[] = {"50", "6a01", "e800000000", "ffd0", "58", "c3"};

    (void)state;
    for (size_t i = 0; i < sizeof(pushes) / sizeof(pushes[0]); i++) {
        struct trap_frame frame, before;
        shuffle(&frame);
        frame.rsp = 0x1000;
        frame.rax = 0x2000;
        assemble(pushes[i], pages.code);
        before = frame;
        assert_false(arch_execute(&frame, frame.rip, pages.code, 1));
        assert_memory_equal(&frame, &before, sizeof(frame));
    }
}

static void nothing_is_done_that_a_watchpoint_or_a_user_would_miss(void **state)
{
    struct trap_frame frame;

    (void)state;
    assemble("90", pages.code);
    shuffle(&frame);
    watching = true;
    assert_false(arch_execute(&frame, frame.rip, pages.code, 1));
    watching = false;
    frame.cs = 0x33;
    assert_false(arch_execute(&frame, frame.rip, pages.code, 1));
    frame.cs = 8;
    assert_true(arch_execute(&frame, frame.rip, pages.code, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_instruction_does_what_the_processor_does),
        cmocka_unit_test(what_is_not_known_exactly_changes_nothing),
        cmocka_unit_test(a_push_without_a_stack_changes_nothing),
        cmocka_unit_test(nothing_is_done_that_a_watchpoint_or_a_user_would_miss),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
