/*
 * agents.c - the conditions and commands of each breakpoint: taken from Z packets, verified, kept,
 * and asked when it is hit.
 *
 * All of them share one pool of bytes.  A list is for one kind of breakpoint at one address; a new
 * one takes the place of the last.
 */
#include "agent.h"

/* The head of a list in the pool.  Behind it, its expressions: use, length (two bytes), code. */
struct list {
    uint64_t address;
    uint16_t size; /* with the head */
    uint8_t type;  /* 0: a software breakpoint; or enum gdbstub_point */
    uint8_t persist;
};

enum {
    EXPRESSION_HEAD = 3,
};

/* Where the list is in the pool, or agents_used. */
static size_t find(const struct gdbstub *stub, uint64_t type, uint64_t addr, struct list *list)
{
    size_t at = 0;

    for (; at < stub->agents_used; at += list->size) {
        memcpy(list, stub->agents + at, sizeof(*list));
        if (list->address == addr && list->type == type)
            break;
    }
    return at;
}

/* ---- From packets ---- */

/* Add bytes to the list that is pending behind the others. */
static void *extend(struct gdbstub *stub, size_t len)
{
    uint8_t *end = stub->agents + stub->agents_used + stub->agents_pending;

    if (len > sizeof(stub->agents) - stub->agents_used - stub->agents_pending)
        return NULL;
    stub->agents_pending += len;
    return end;
}

/* Take one expression, "XLENGTH,HEX"; the X is taken. */
static enum verdict take_expression(struct gdbstub *stub, struct request *request,
                                    enum agent_use use)
{
    struct args *args = &request->args;

    if (!stub_take(request, "#,") || request->value[0] > (size_t)(args->end - args->at) / 2)
        return VERDICT_MALFORMED;
    struct request hex = {.args = {args->at, args->at + 2 * request->value[0]}};
    args->at += 2 * request->value[0];
    if (!stub_take(&hex, "*"))
        return VERDICT_MALFORMED;
    const uint8_t *code = hex.bytes.at;
    size_t got = (size_t)(hex.bytes.end - code);
    /* Nothing is written to the reply until the request is done: there is room for the marks. */
    const char *reason = stub_verify_agent(stub->port->arch, code, got, use, stub->out);
    if (reason != NULL)
        return stub_refuse(stub, reason);
    uint8_t *kept = extend(stub, EXPRESSION_HEAD + got);
    if (kept == NULL)
        return stub_refuse(stub, "out of room for conditions and commands");
    kept[0] = (uint8_t)use;
    kept[1] = (uint8_t)(got >> 8);
    kept[2] = (uint8_t)got;
    memcpy(kept + EXPRESSION_HEAD, code, got);
    return VERDICT_OK;
}

/* One or more expressions. */
static enum verdict take_expressions(struct gdbstub *stub, struct request *request,
                                     enum agent_use use)
{
    enum verdict verdict = VERDICT_MALFORMED;

    while (stub_take_char(&request->args, 'X')) {
        verdict = take_expression(stub, request, use);
        if (verdict != VERDICT_OK)
            return verdict;
    }
    return verdict;
}

enum verdict stub_take_agents(struct gdbstub *stub, struct request *request, uint64_t type,
                              uint64_t addr)
{
    struct list list = {.address = addr, .type = (uint8_t)type};
    enum verdict verdict = VERDICT_OK;

    stub->agents_pending = 0;
    if (stub_at_end(&request->args))
        return VERDICT_OK;
    uint8_t *head = extend(stub, sizeof(list));
    if (head == NULL)
        return stub_refuse(stub, "out of room for conditions and commands");
    while (verdict == VERDICT_OK && stub_take_char(&request->args, ';')) {
        enum agent_use use = AGENT_CONDITION;
        if (stub_take_char(&request->args, 'c')) { /* cmds:PERSIST, */
            use = AGENT_COMMAND;
            if (!stub_take(request, "mds:#,"))
                return VERDICT_MALFORMED;
            list.persist = request->value[0] != 0;
        }
        verdict = take_expressions(stub, request, use);
    }
    list.size = (uint16_t)stub->agents_pending;
    memcpy(head, &list, sizeof(list));
    return verdict == VERDICT_OK && !stub_at_end(&request->args) ? VERDICT_MALFORMED : verdict;
}

void stub_remove_agents(struct gdbstub *stub, uint64_t type, uint64_t addr)
{
    struct list list;
    size_t at = find(stub, type, addr, &list);

    if (at == stub->agents_used)
        return;
    memmove(stub->agents + at, stub->agents + at + list.size,
            stub->agents_used + stub->agents_pending - at - list.size);
    stub->agents_used -= list.size;
}

void stub_keep_agents(struct gdbstub *stub, uint64_t type, uint64_t addr)
{
    stub_remove_agents(stub, type, addr);
    stub->agents_used += stub->agents_pending;
    stub->agents_pending = 0;
}

bool stub_persists(const struct gdbstub *stub, uint64_t type, uint64_t addr)
{
    struct list list;

    return find(stub, type, addr, &list) < stub->agents_used && list.persist != 0;
}

/* ---- At a hit ---- */

struct hit {
    struct gdbstub *stub;
    gdbstub_thread thread;
    uint64_t address;
    const uint8_t *start, *end; /* the expressions */
};

/* An expression could not be run to its end: say so. */
static void complain(const struct hit *hit, enum agent_use use, const struct agent_fault *fault)
{
    struct agent_text text;

    text.stub = hit->stub;
    text.len = 0;
    stub_text_put(&text, "%s of the breakpoint at 0x%x: %s",
                  use == AGENT_CONDITION ? "Condition" : "Command", hit->address, fault->reason);
    stub_text_put(&text, fault->has_address ? " 0x%x\n" : "\n", fault->address);
    stub_text_end(&text);
}

/* What the expressions of one use have come to. */
enum outcome {
    OUTCOME_NONE,  /* there are none */
    OUTCOME_ZERO,  /* every one left 0 */
    OUTCOME_TRUE,  /* one did not */
    OUTCOME_FAULT, /* one could not be run; people have been told */
};

/* How long the expression at `at` is, with its head. */
static size_t expression_size(const uint8_t *at)
{
    return EXPRESSION_HEAD + (size_t)(at[1] << 8 | at[2]);
}

/* Do all conditions of a list leave 0, without a fault? */
static bool are_false(const struct agent_view *view, const uint8_t *at, const uint8_t *end)
{
    struct agent_fault fault;
    bool any = false;

    for (; at < end; at += expression_size(at)) {
        if (at[0] != AGENT_CONDITION)
            continue;
        if (stub_run_agent_for(view, at + EXPRESSION_HEAD, &fault) != 0 || fault.reason != NULL)
            return false;
        any = true;
    }
    return any;
}

bool stub_passes_by(const struct gdbstub *stub, void *ctx, gdbstub_thread thread, uint64_t type,
                    uint64_t addr)
{
    const struct agent_view view = {stub, ctx, thread, NULL};
    struct list list;
    size_t at = find(stub, type, addr, &list);
    const uint8_t *start = stub->agents + at;

    return at < stub->agents_used && are_false(&view, start + sizeof(list), start + list.size);
}

static enum outcome run_all(const struct hit *hit, enum agent_use use)
{
    enum outcome outcome = OUTCOME_NONE;
    struct agent_fault fault;

    for (const uint8_t *at = hit->start; at < hit->end; at += expression_size(at)) {
        if (at[0] != use)
            continue;
        uint64_t value = stub_run_agent(hit->stub, hit->thread, at + EXPRESSION_HEAD, &fault);
        if (fault.reason != NULL) {
            complain(hit, use, &fault);
            return OUTCOME_FAULT;
        }
        outcome = value != 0 || outcome == OUTCOME_TRUE ? OUTCOME_TRUE : OUTCOME_ZERO;
        if (use == AGENT_CONDITION && value != 0)
            break;
    }
    return outcome;
}

enum stub_hit stub_judge_hit(struct gdbstub *stub, gdbstub_thread thread, uint64_t type,
                             uint64_t addr)
{
    struct list list;
    size_t at = find(stub, type, addr, &list);
    const uint8_t *start = stub->agents + at;

    if (at == stub->agents_used)
        return STUB_HIT_STOPS;
    const struct hit hit = {stub, thread, addr, start + sizeof(list), start + list.size};
    enum outcome outcome = run_all(&hit, AGENT_CONDITION);
    if (outcome == OUTCOME_ZERO)
        return STUB_HIT_PASSES;
    if (outcome == OUTCOME_FAULT)
        return STUB_HIT_STOPS;
    outcome = run_all(&hit, AGENT_COMMAND);
    if (outcome == OUTCOME_FAULT)
        return STUB_HIT_FAILS;
    return outcome == OUTCOME_NONE ? STUB_HIT_STOPS : STUB_HIT_PASSES;
}
