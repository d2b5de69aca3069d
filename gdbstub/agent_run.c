/*
 * agent_run.c - run a verified agent expression: 64-bit elements, memory and registers of one
 * thread, a bounded number of operations.
 */
#include "agent.h"

struct run {
    struct gdbstub *stub;
    gdbstub_thread thread;
    const uint8_t *code, *at; /* its beginning, and what comes next of it */
    uint64_t *top;            /* of the stack; below it, when that is empty */
    struct agent_fault *fault;
};

bool stub_agent_memory(struct gdbstub *stub, gdbstub_thread thread, uint64_t addr, void *data,
                       size_t len)
{
    const struct gdbstub_port *port = stub->port;

    if (len - 1 > UINT64_MAX - addr || port->read_memory(port->ctx, thread, addr, data, len) < len)
        return false;
    stub_hide_breakpoints(stub, addr, data, len);
    return true;
}

static uint64_t fail(struct run *run, const char *reason)
{
    run->fault->reason = reason;
    return 0;
}

static uint64_t read_memory(struct run *run, uint64_t addr, size_t len)
{
    union stub_value value;

    if (stub_agent_memory(run->stub, run->thread, addr, &value, len))
        return stub_integer(&value, len);
    run->fault->has_address = true;
    run->fault->address = addr;
    return fail(run, "there is no memory to read at");
}

static uint64_t read_register(struct run *run, size_t reg)
{
    const struct gdbstub_port *port = run->stub->port;
    union stub_value value;

    if (!port->read_register(port->ctx, run->thread, reg, &value))
        return fail(run, "a register has no value");
    return stub_integer(&value, port->arch->registers[reg].bits / 8u);
}

/* The quotient or the remainder; it wraps around where C does not say what happens. */
static uint64_t divide(struct run *run, uint8_t code, uint64_t a, uint64_t b)
{
    if (b == 0)
        return fail(run, "division by zero");
    if (code == AGENT_DIV_UNSIGNED)
        return a / b;
    if (code == AGENT_REM_UNSIGNED)
        return a % b;
    if (b == UINT64_MAX)
        return code == AGENT_DIV_SIGNED ? 0 - a : 0;
    return (uint64_t)(code == AGENT_DIV_SIGNED ? (int64_t)a / (int64_t)b : (int64_t)a % (int64_t)b);
}

/* Whatever the count: all bits are out after 64. */
static uint64_t shift(uint8_t code, uint64_t a, uint64_t count)
{
    uint64_t sign = code == AGENT_RSH_SIGNED && a >> 63 != 0 ? UINT64_MAX : 0;

    if (count >= 64)
        return sign;
    if (code == AGENT_LSH)
        return a << count;
    return (a ^ sign) >> count ^ sign;
}

static uint64_t binary(struct run *run, uint8_t code, uint64_t a, uint64_t b)
{
    switch (code) {
    case AGENT_ADD:
        return a + b;
    case AGENT_SUB:
        return a - b;
    case AGENT_MUL:
        return a * b;
    case AGENT_BIT_AND:
        return a & b;
    case AGENT_BIT_OR:
        return a | b;
    case AGENT_BIT_XOR:
        return a ^ b;
    case AGENT_EQUAL:
        return a == b;
    case AGENT_LESS_SIGNED:
        return (int64_t)a < (int64_t)b;
    case AGENT_LESS_UNSIGNED:
        return a < b;
    case AGENT_LSH:
    case AGENT_RSH_SIGNED:
    case AGENT_RSH_UNSIGNED:
        return shift(code, a, b);
    default:
        return divide(run, code, a, b);
    }
}

/* The lowest `bits` of a value, 1 to 64. */
static uint64_t extend(uint8_t code, uint64_t value, unsigned bits)
{
    uint64_t sign = (uint64_t)1 << (bits - 1), mask = sign | (sign - 1);

    value &= mask;
    return code == AGENT_EXT ? (value ^ sign) - sign : value;
}

/* The same as stub_agent_operand(), for lengths that the compiler knows. */
static inline uint64_t operand(struct run *run, size_t bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | *run->at++;
    return value;
}

static void jump(struct run *run)
{
    run->at = run->code + operand(run, 2);
}

static void print(struct run *run)
{
    size_t arguments = (size_t)operand(run, 1), len = (size_t)operand(run, 2);

    run->top -= 2; /* the function and the channel, which mean nothing here */
    stub_agent_printf(run->stub, run->thread, (const char *)run->at, run->top + 1, run->fault);
    run->top -= arguments;
    run->at += len;
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t kept = *a;

    *a = *b;
    *b = kept;
}

static void pop(struct run *run, uint8_t code)
{
    uint64_t b = *run->top--;

    *run->top = binary(run, code, *run->top, b);
}

static void push(struct run *run, uint64_t value)
{
    *++run->top = value;
}

/* One operation.  This is the inner loop of everything that is to be fast: a switch. */
static inline void execute(struct run *run, uint8_t code)
{
    switch (code) {
    case AGENT_CONST8:
        push(run, operand(run, 1));
        break;
    case AGENT_CONST16:
        push(run, operand(run, 2));
        break;
    case AGENT_CONST32:
        push(run, operand(run, 4));
        break;
    case AGENT_CONST64:
        push(run, operand(run, 8));
        break;
    case AGENT_REG:
        push(run, read_register(run, (size_t)operand(run, 2)));
        break;
    case AGENT_REF8:
    case AGENT_REF16:
    case AGENT_REF32:
    case AGENT_REF64:
        *run->top = read_memory(run, *run->top, (size_t)1 << (code - AGENT_REF8));
        break;
    case AGENT_EXT:
    case AGENT_ZERO_EXT:
        *run->top = extend(code, *run->top, (unsigned)operand(run, 1));
        break;
    case AGENT_LOG_NOT:
        *run->top = *run->top == 0;
        break;
    case AGENT_BIT_NOT:
        *run->top = ~*run->top;
        break;
    case AGENT_DUP:
        push(run, *run->top);
        break;
    case AGENT_PICK:
        push(run, *(run->top - operand(run, 1)));
        break;
    case AGENT_POP:
        run->top--;
        break;
    case AGENT_ROT: /* a b c -> c a b */
        swap(run->top, run->top - 1);
        swap(run->top - 1, run->top - 2);
        break;
    case AGENT_SWAP:
        swap(run->top, run->top - 1);
        break;
    case AGENT_IF_GOTO:
        if (*run->top-- != 0)
            jump(run);
        else
            run->at += 2;
        break;
    case AGENT_GOTO:
        jump(run);
        break;
    case AGENT_PRINTF:
        print(run);
        break;
    default:
        pop(run, code);
        break;
    }
}

uint64_t stub_run_agent(struct gdbstub *stub, gdbstub_thread thread, const uint8_t *code,
                        struct agent_fault *fault)
{
    struct run run = {stub, thread, code, code, stub->agent_stack, fault};

    *fault = (struct agent_fault){NULL, false, 0};
    for (unsigned steps = 0; steps < AGENT_STEPS && fault->reason == NULL; steps++) {
        uint8_t operation = *run.at++;
        if (operation == AGENT_END)
            return *run.top;
        execute(&run, operation);
    }
    if (fault->reason == NULL)
        fault->reason = "it does not come to an end";
    return 0;
}
