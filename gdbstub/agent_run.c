/*
 * agent_run.c - run a verified agent expression: 64-bit elements, memory and registers of one
 * thread, a bounded number of operations.
 */
#include "agent.h"

struct run {
    struct gdbstub *stub;
    gdbstub_thread thread;
    const uint8_t *code, *at; /* its beginning, and the next operation */
    struct agent_fault *fault;
    size_t depth;
    uint64_t stack[AGENT_STACK];
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
    uint8_t data[sizeof(uint64_t)];

    if (stub_agent_memory(run->stub, run->thread, addr, data, len))
        return stub_value_of(data, len);
    run->fault->has_address = true;
    run->fault->address = addr;
    return fail(run, "there is no memory to read at");
}

static uint64_t read_register(struct run *run, size_t reg)
{
    const struct gdbstub_port *port = run->stub->port;
    uint8_t value[GDBSTUB_REGISTER_BYTES];

    if (!port->read_register(port->ctx, run->thread, reg, value))
        return fail(run, "a register has no value");
    return stub_value_of(value, port->arch->registers[reg].bits / 8u);
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
    return (uint64_t)(code == AGENT_DIV_SIGNED ? (int64_t)a / (int64_t)b
                                               : (int64_t)a % (int64_t)b);
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

static void print(struct run *run, uint64_t operand)
{
    size_t arguments = operand >> 16;

    /* On top are the function and the channel, which mean nothing here. */
    run->depth -= 2;
    stub_agent_printf(run->stub, run->thread, (const char *)run->at, &run->stack[run->depth],
                      run->fault);
    run->depth -= arguments;
    run->at += operand & UINT16_MAX;
}

static void push(struct run *run, uint64_t value)
{
    run->stack[run->depth++] = value;
}

static void jump(struct run *run, uint64_t target)
{
    run->at = run->code + target;
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t kept = *a;

    *a = *b;
    *b = kept;
}

/* All but those with two arguments and one result. */
static void execute(struct run *run, uint8_t code, uint64_t operand)
{
    uint64_t *top = run->stack + run->depth - 1; /* if there is one */

    switch (code) {
    case AGENT_LOG_NOT:
        *top = *top == 0;
        break;
    case AGENT_BIT_NOT:
        *top = ~*top;
        break;
    case AGENT_EXT:
    case AGENT_ZERO_EXT:
        *top = extend(code, *top, (unsigned)operand);
        break;
    case AGENT_REF8:
    case AGENT_REF16:
    case AGENT_REF32:
    case AGENT_REF64:
        *top = read_memory(run, *top, (size_t)1 << (code - AGENT_REF8));
        break;
    case AGENT_REG:
        push(run, read_register(run, (size_t)operand));
        break;
    case AGENT_DUP:
    case AGENT_PICK:
        push(run, *(top - operand)); /* dup has no operand, which counts as 0 */
        break;
    case AGENT_POP:
        run->depth--;
        break;
    case AGENT_ROT: /* a b c -> c a b */
        swap(top, top - 1);
        swap(top - 1, top - 2);
        break;
    case AGENT_SWAP:
        swap(top, top - 1);
        break;
    case AGENT_IF_GOTO:
        run->depth--;
        if (*top != 0)
            jump(run, operand);
        break;
    case AGENT_GOTO:
        jump(run, operand);
        break;
    case AGENT_PRINTF:
        print(run, operand);
        break;
    default: /* a constant */
        push(run, operand);
        break;
    }
}

uint64_t stub_run_agent(struct gdbstub *stub, gdbstub_thread thread, const uint8_t *code,
                        struct agent_fault *fault)
{
    struct run run; /* the stack needs no first value */

    run.stub = stub;
    run.thread = thread;
    run.code = run.at = code;
    run.fault = fault;
    run.depth = 0;
    *fault = (struct agent_fault){NULL, false, 0};
    for (unsigned steps = 0; steps < AGENT_STEPS && fault->reason == NULL; steps++) {
        uint8_t operation = *run.at++;
        const struct agent_row *row = &stub_agent_rows[operation];
        uint64_t operand = stub_agent_operand(run.at, row->operand);

        run.at += row->operand;
        if (operation == AGENT_END)
            return run.depth > 0 ? run.stack[run.depth - 1] : 0;
        if (row->family != FAMILY_BINARY) {
            execute(&run, operation, operand);
            continue;
        }
        run.depth--;
        uint64_t *a = &run.stack[run.depth - 1];
        *a = binary(&run, operation, a[0], a[1]);
    }
    if (fault->reason == NULL)
        fault->reason = "it does not come to an end";
    return 0;
}
