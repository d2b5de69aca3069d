/*
 * agent_run.c - run a verified agent expression: 64-bit elements, memory and registers of one
 * thread, a bounded number of operations.
 */
#include "agent.h"

struct run {
    const struct agent_view *view;
    const uint8_t *code;
    struct agent_fault *fault;
};

/* How far it is: passed by value, so that it stays in registers. */
struct place {
    const uint8_t *at; /* what comes next */
    uint64_t *top;     /* of the stack; below it, when that is empty */
};

bool stub_agent_memory(const struct agent_view *view, uint64_t addr, void *data, size_t len)
{
    const struct gdbstub_port *port = view->stub->port;

    if (len - 1 > UINT64_MAX - addr ||
        port->read_memory(view->ctx, view->thread, addr, data, len) < len)
        return false;
    if (stub_may_hide(view->stub, addr, len))
        stub_hide_breakpoints(view->stub, addr, data, len);
    return true;
}

/* There is nothing that comes next. */
static struct place fail(const struct run *run, const char *reason)
{
    run->fault->reason = reason;
    return (struct place){NULL, NULL};
}

static struct place read_memory(const struct run *run, struct place place, size_t len)
{
    union stub_value value;
    uint64_t addr = *place.top;

    if (stub_agent_memory(run->view, addr, &value, len)) {
        *place.top = stub_integer(&value, len);
        return place;
    }
    run->fault->has_address = true;
    run->fault->address = addr;
    return fail(run, "there is no memory to read at");
}

static struct place read_register(const struct run *run, struct place place, size_t reg)
{
    const struct agent_view *view = run->view;
    const struct gdbstub_port *port = view->stub->port;
    union stub_value value;

    if (!port->read_register(view->ctx, view->thread, reg, &value))
        return fail(run, "a register has no value");
    *++place.top = stub_integer(&value, port->arch->registers[reg].bits / 8u);
    return place;
}

/* The quotient or the remainder; it wraps around where C does not say what happens. */
static struct place divide(const struct run *run, struct place place, uint8_t code)
{
    uint64_t b = *place.top--, a = *place.top;

    if (b == 0)
        return fail(run, "division by zero");
    if (code == AGENT_DIV_UNSIGNED)
        *place.top = a / b;
    else if (code == AGENT_REM_UNSIGNED)
        *place.top = a % b;
    else if (b == UINT64_MAX)
        *place.top = code == AGENT_DIV_SIGNED ? 0 - a : 0;
    else
        *place.top = (uint64_t)(code == AGENT_DIV_SIGNED ? (int64_t)a / (int64_t)b
                                                         : (int64_t)a % (int64_t)b);
    return place;
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

/* The lowest `bits` of a value, 1 to 64. */
static uint64_t extend(uint8_t code, uint64_t value, unsigned bits)
{
    unsigned rest = 64 - bits;

    if (code == AGENT_EXT)
        return (uint64_t)((int64_t)(value << rest) >> rest);
    return value << rest >> rest;
}

/* The same as stub_agent_operand(), for lengths that the compiler knows. */
static inline uint64_t operand(struct place *place, size_t bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | *place->at++;
    return value;
}

static struct place print(const struct run *run, struct place place)
{
    size_t arguments = (size_t)operand(&place, 1), len = (size_t)operand(&place, 2);

    if (run->view->printer == NULL)
        return fail(run, "it prints");
    place.top -= 2; /* the function and the channel, which mean nothing here */
    stub_agent_printf(run->view, (const char *)place.at, place.top + 1, run->fault);
    place.top -= arguments;
    place.at = run->fault->reason == NULL ? place.at + len : NULL;
    return place;
}

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t kept = *a;

    *a = *b;
    *b = kept;
}

#define BINARY(result)                                                                             \
    do {                                                                                           \
        uint64_t b = *place.top--, a = *place.top;                                                 \
        *place.top = (uint64_t)(result);                                                           \
    } while (0)

/* One operation.  This is the inner loop of everything that is to be fast: one switch, long as it
 * is. */
static inline struct place execute(const struct run *run, struct place place)
{
    uint8_t code = *place.at++;
    uint64_t value;

    switch (code) {
    case AGENT_CONST8:
        *++place.top = operand(&place, 1);
        break;
    case AGENT_CONST16:
        *++place.top = operand(&place, 2);
        break;
    case AGENT_CONST32:
        *++place.top = operand(&place, 4);
        break;
    case AGENT_CONST64:
        *++place.top = operand(&place, 8);
        break;
    case AGENT_REG:
        value = operand(&place, 2);
        return read_register(run, place, (size_t)value);
    case AGENT_REF8:
    case AGENT_REF16:
    case AGENT_REF32:
    case AGENT_REF64:
        return read_memory(run, place, (size_t)1 << (code - AGENT_REF8));
    case AGENT_EXT:
    case AGENT_ZERO_EXT:
        value = operand(&place, 1);
        *place.top = extend(code, *place.top, (unsigned)value);
        break;
    case AGENT_ADD:
        BINARY(a + b);
        break;
    case AGENT_SUB:
        BINARY(a - b);
        break;
    case AGENT_MUL:
        BINARY(a * b);
        break;
    case AGENT_BIT_AND:
        BINARY(a & b);
        break;
    case AGENT_BIT_OR:
        BINARY(a | b);
        break;
    case AGENT_BIT_XOR:
        BINARY(a ^ b);
        break;
    case AGENT_EQUAL:
        BINARY(a == b);
        break;
    case AGENT_LESS_SIGNED:
        BINARY((int64_t)a < (int64_t)b);
        break;
    case AGENT_LESS_UNSIGNED:
        BINARY(a < b);
        break;
    case AGENT_LSH:
    case AGENT_RSH_SIGNED:
    case AGENT_RSH_UNSIGNED:
        BINARY(shift(code, a, b));
        break;
    case AGENT_LOG_NOT:
        *place.top = *place.top == 0;
        break;
    case AGENT_BIT_NOT:
        *place.top = ~*place.top;
        break;
    case AGENT_DUP:
        value = *place.top;
        *++place.top = value;
        break;
    case AGENT_PICK:
        value = *(place.top - operand(&place, 1));
        *++place.top = value;
        break;
    case AGENT_POP:
        place.top--;
        break;
    case AGENT_ROT: /* a b c -> c a b */
        swap(place.top, place.top - 1);
        swap(place.top - 1, place.top - 2);
        break;
    case AGENT_SWAP:
        swap(place.top, place.top - 1);
        break;
    case AGENT_IF_GOTO:
        value = operand(&place, 2);
        if (*place.top-- != 0)
            place.at = run->code + value;
        break;
    case AGENT_GOTO:
        place.at = run->code + operand(&place, 2);
        break;
    case AGENT_PRINTF:
        return print(run, place);
    default:
        return divide(run, place, code);
    }
    return place;
}

uint64_t stub_run_agent_for(const struct agent_view *view, const uint8_t *code,
                            struct agent_fault *fault)
{
    uint64_t stack[1 + AGENT_STACK] = {0}; /* the first is below the stack */
    const struct run run = {view, code, fault};
    struct place place = {code, stack};

    *fault = (struct agent_fault){NULL, false, 0};
    for (unsigned steps = AGENT_STEPS; steps > 0; steps--) {
        if (*place.at == AGENT_END)
            return *place.top;
        place = execute(&run, place);
        if (place.at == NULL)
            return 0;
    }
    fault->reason = "it does not come to an end";
    return 0;
}

uint64_t stub_run_agent(struct gdbstub *stub, gdbstub_thread thread, const uint8_t *code,
                        struct agent_fault *fault)
{
    const struct agent_view view = {stub, stub->port->ctx, thread, stub};

    return stub_run_agent_for(&view, code, fault);
}
