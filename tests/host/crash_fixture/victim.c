/*
 * victim.c - functions that would fail, for the tests of crash.py.  Linked like a kernel and
 * never run: the tests make up the registers and the stack of the moment at which each one fails.
 */
typedef unsigned long word; /* the natural unit of the stack */

struct node {
    word key;
    char name[16];
    struct node *next;
};

extern void panic(const char *text, ...);

int counter = 7;
word victims_done;
const int fixed_table[4] = {1, 2, 3, 4};
unsigned char data_code[16] = {0x90, 0xc3};

static inline struct node *list_next(struct node *node)
{
    struct node *next = node->next;

    victims_done++;
    return next;
}

__attribute__((noinline)) word victim_null_read(struct node *head)
{
    struct node *second = list_next(head);

    return second->key;
}

__attribute__((noinline)) void victim_null_write(struct node *head)
{
    head->next = 0;
}

__attribute__((noinline)) int victim_divide(int dividend, int divisor)
{
    return dividend / divisor;
}

__attribute__((noinline)) void victim_call(void (*function)(void))
{
    function();
    victims_done++;
}

__attribute__((noinline)) void victim_write(int *where)
{
    *where = 42;
}

__attribute__((noinline)) void victim_invalid(void)
{
    __asm__ volatile("ud2");
}

__attribute__((noinline)) word victim_overflow(word depth)
{
    volatile char buffer[64];

    buffer[0] = (char)depth;
    return victim_overflow(depth + 1) + (word)buffer[0];
}

__attribute__((noinline)) void victim_smash(word garbage)
{
    word local[2] = {garbage, garbage};

    __asm__ volatile("" : : "r"(local) : "memory");
}

__attribute__((noinline)) void victim_careless(word garbage)
{
    victim_smash(garbage);
    victims_done++;
}

__attribute__((noinline)) void victim_selector(unsigned selector)
{
    __asm__ volatile("mov %0, %%fs" : : "r"(selector));
}

__attribute__((noinline)) word victim_rdmsr(unsigned number)
{
    unsigned low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (word)high << 32 | low;
}

__attribute__((noinline)) void victim_vector(void *where)
{
    __asm__ volatile("movaps %%xmm0, (%0)" : : "r"(where) : "memory");
}

__attribute__((noinline)) void crash_panic_entry(const char *text)
{
    __asm__ volatile("nop" : : "r"(text));
    victims_done++;
}

__attribute__((noinline)) void panic(const char *text, ...)
{
    crash_panic_entry(text);
    victims_done++;
}

__attribute__((noinline)) void victim_panic(int code)
{
    panic("out of cheese: %d", code);
    victims_done++;
}

void kernel_main(struct node *list)
{
    victims_done += victim_null_read(list);
    victim_null_write(list);
    counter = victim_divide(counter, 0);
    victim_call((void (*)(void))list);
    victim_write((int *)(word)fixed_table);
    victim_invalid();
    victims_done += victim_overflow(0);
    victim_careless(victims_done);
    victim_selector(0x1230);
    victims_done += victim_rdmsr(0xdead);
    victim_vector(data_code);
    victim_panic(3);
    victims_done++;
}
