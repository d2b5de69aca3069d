/*
 * agent_verify.c - is an agent expression one that can be run blindly?
 *
 * Every operation must be known, every jump go to the beginning of one, the stack have the same
 * depth on whatever path an operation is reached, and the end be an `end`.  What is never reached
 * must only be well formed.
 */
#include "agent.h"

const struct agent_row stub_agent_rows[AGENT_CODES] = {
#define AGENT(name, code, operand, consumed, produced, family)                                     \
    [code] = {operand, consumed, produced, family},
#include "agent.def"
#undef AGENT
};

/* What is known of a byte of the expression; above MARK_REACHED, the depth of the stack there. */
enum mark {
    MARK_INSIDE, /* no operation begins here */
    MARK_BEGIN,  /* one does, not reached yet */
    MARK_REACHED,
};

struct check {
    const struct gdbstub_arch *arch;
    const uint8_t *code;
    size_t len;
    enum agent_use use;
    uint8_t *marks;
    bool changed; /* an operation was reached for the first time */
};

static const char unknown[] = "an operation is unknown";
static const char cut[] = "it ends in the middle of an operation";

static const struct agent_row *row_at(const struct check *check, size_t at)
{
    return &stub_agent_rows[check->code[at]];
}

static uint64_t operand_at(const struct check *check, size_t at)
{
    return stub_agent_operand(check->code + at + 1, row_at(check, at)->operand);
}

/* The bytes of a printf's format, with its NUL. */
static size_t format_length(const struct check *check, size_t at)
{
    return operand_at(check, at) & UINT16_MAX;
}

static size_t length_at(const struct check *check, size_t at)
{
    const struct agent_row *row = row_at(check, at);

    return 1u + row->operand + (row->family == FAMILY_PRINTF ? format_length(check, at) : 0);
}

static const char *check_register(const struct check *check, size_t at)
{
    uint64_t reg = operand_at(check, at);
    unsigned bits = reg < check->arch->register_count ? check->arch->registers[reg].bits : 0;

    if (bits == 0)
        return "there is no such register";
    if (bits > 64 || (bits & (bits - 1)) != 0)
        return "the register is not one integer";
    return NULL;
}

/* The operation itself and its operands, wherever it stands. */
static const char *check_form(const struct check *check, size_t at)
{
    size_t left = check->len - at;

    if (check->code[at] >= AGENT_CODES)
        return unknown;
    const struct agent_row *row = row_at(check, at);
    switch (row->family) {
    case FAMILY_UNKNOWN:
        return unknown;
    case FAMILY_FLOAT:
        return "floating point is not evaluated here";
    case FAMILY_TRACE:
        return "there are no tracepoints, and none of their variables";
    default:
        break;
    }
    if (left < 1u + row->operand || left < length_at(check, at))
        return cut;
    if (row->family == FAMILY_REGISTER)
        return check_register(check, at);
    if (row->family == FAMILY_BITS && operand_at(check, at) - 1 >= 64)
        return "a value has 1 to 64 bits";
    if (row->family == FAMILY_PRINTF)
        return stub_verify_format(check->code + at + 4, format_length(check, at),
                                  check->code[at + 1]);
    return NULL;
}

static const char *check_forms(struct check *check)
{
    size_t at = 0;
    uint8_t last = AGENT_GOTO;

    memset(check->marks, MARK_INSIDE, check->len);
    while (at < check->len) {
        const char *reason = check_form(check, at);
        if (reason != NULL)
            return reason;
        last = check->code[at];
        check->marks[at] = MARK_BEGIN;
        at += length_at(check, at);
    }
    return last == AGENT_END ? NULL : "it does not end with `end`";
}

/* `at` is reached with that many elements on the stack. */
static const char *reach(struct check *check, size_t at, size_t depth)
{
    uint8_t mark = (uint8_t)(MARK_REACHED + depth);

    if (at >= check->len || check->marks[at] == MARK_INSIDE)
        return "a jump does not go to an operation";
    if (check->marks[at] != MARK_BEGIN)
        return check->marks[at] == mark ? NULL : "the stack's depth depends on the path";
    check->marks[at] = mark;
    check->changed = true;
    return NULL;
}

/* How many elements the operation needs. */
static size_t needs(const struct check *check, size_t at)
{
    const struct agent_row *row = row_at(check, at);
    uint8_t operand = check->code[at + (row->operand > 0)];

    if (row->family == FAMILY_PICK)
        return operand + 1u;
    return row->consumed + (row->family == FAMILY_PRINTF ? operand : 0u);
}

/* Follow the operation at `at`, which has been reached. */
static const char *follow(struct check *check, size_t at)
{
    const struct agent_row *row = row_at(check, at);
    size_t depth = check->marks[at] - (size_t)MARK_REACHED, used = needs(check, at);

    if (depth < used)
        return "the stack holds too little";
    if (check->code[at] == AGENT_END)
        return depth > 0 || check->use == AGENT_COMMAND ? NULL : "it leaves no value";
    depth += row->produced;
    depth -= row->family == FAMILY_PICK ? 0 : used;
    if (depth > AGENT_STACK)
        return "the stack holds too much";
    if (row->family == FAMILY_JUMP) {
        const char *reason = reach(check, (size_t)operand_at(check, at), depth);
        if (reason != NULL || check->code[at] == AGENT_GOTO)
            return reason;
    }
    return reach(check, at + length_at(check, at), depth);
}

const char *stub_verify_agent(const struct gdbstub_arch *arch, const uint8_t *code, size_t len,
                              enum agent_use use, uint8_t *marks)
{
    struct check check = {arch, code, len, use, marks, false};
    const char *reason = check_forms(&check);

    if (reason == NULL)
        reason = reach(&check, 0, 0);
    while (reason == NULL && check.changed) {
        check.changed = false;
        for (size_t at = 0; at < len && reason == NULL; at += length_at(&check, at)) {
            if (marks[at] >= MARK_REACHED)
                reason = follow(&check, at);
        }
    }
    return reason;
}
