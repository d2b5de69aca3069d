/*
 * test_trap.c - the dispatcher asks the right handlers, in order, until one says that it is done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trap/trap.h"

/* Who was asked, in order: a letter each. */
static char asked[16];
static const struct trap *asked_about;

static enum trap_verdict answer(struct trap *trap, char letter, enum trap_verdict verdict)
{
    size_t len = strlen(asked);

    assert_true(len + 1 < sizeof(asked));
    asked[len] = letter;
    asked_about = trap;
    return verdict;
}

static enum trap_verdict decline(struct trap *trap)
{
    return answer(trap, 'd', TRAP_DECLINED);
}

static enum trap_verdict handle(struct trap *trap)
{
    return answer(trap, 'h', TRAP_HANDLED);
}

static enum trap_verdict handle_last(struct trap *trap)
{
    return answer(trap, 'l', TRAP_HANDLED);
}

static enum trap_verdict move_pc(struct trap *trap)
{
    trap->pc += 2;
    return TRAP_HANDLED;
}

static bool ask(bool (*dispatcher)(struct trap *trap), enum trap_kind kind)
{
    struct trap trap = {.kind = kind, .name = "test"};
    bool handled;

    memset(asked, 0, sizeof(asked));
    handled = dispatcher(&trap);
    assert_true(asked[0] == '\0' || asked_about == &trap);
    return handled;
}

/* Dispatch a trap of that kind through the table; returns what both dispatchers said. */
static bool dispatch(enum trap_kind kind, const struct trap_handler *table, size_t count)
{
    char first[sizeof(asked)];
    bool handled;

    trap_init(table, count);
    handled = ask(trap_dispatch, kind);
    memcpy(first, asked, sizeof(first));
    assert_int_equal(ask(trap_dispatch_ordinary, kind), handled);
    assert_string_equal(asked, first);
    return handled;
}

static void the_first_that_handles_ends_the_search(void **state)
{
    static const struct trap_handler table[] = {
        {"one", TRAP_ANY, decline},
        {"two", TRAP_ANY, handle},
        {"three", TRAP_ANY, handle_last},
    };

    (void)state;
    assert_true(dispatch(TRAP_PAGE_FAULT, table, 3));
    assert_string_equal(asked, "dh");
}

static void a_handler_is_asked_about_its_kinds_only(void **state)
{
    static const struct trap_handler table[] = {
        {"one", TRAP_MASK(TRAP_NMI) | TRAP_MASK(TRAP_DEBUG), handle},
        {"two", TRAP_MASK(TRAP_BREAKPOINT), handle_last},
    };

    (void)state;
    for (enum trap_kind kind = 0; kind < TRAP_KINDS; kind++) {
        const char *expected = "";

        if (kind == TRAP_NMI || kind == TRAP_DEBUG)
            expected = "h";
        if (kind == TRAP_BREAKPOINT)
            expected = "l";
        assert_int_equal(dispatch(kind, table, 2), *expected != '\0');
        assert_string_equal(asked, expected);
    }
}

static void any_is_every_kind(void **state)
{
    static const struct trap_handler table[] = {{"one", TRAP_ANY, handle}};

    (void)state;
    for (enum trap_kind kind = 0; kind < TRAP_KINDS; kind++)
        assert_true(dispatch(kind, table, 1));
}

static void nobody_is_left_when_all_decline(void **state)
{
    static const struct trap_handler table[] = {
        {"one", TRAP_ANY, decline},
        {"two", TRAP_ANY, decline},
    };

    (void)state;
    assert_false(dispatch(TRAP_DOUBLE, table, 2));
    assert_string_equal(asked, "dd");
}

static void an_empty_table_handles_nothing(void **state)
{
    (void)state;
    assert_false(dispatch(TRAP_PANIC, NULL, 0));
}

static void the_last_table_counts(void **state)
{
    static const struct trap_handler old[] = {{"old", TRAP_ANY, handle}};
    static const struct trap_handler new[] = {{"new", TRAP_ANY, handle_last}};

    (void)state;
    trap_init(old, 1);
    assert_true(dispatch(TRAP_NMI, new, 1));
    assert_string_equal(asked, "l");
}

static void a_handler_may_change_the_trap(void **state)
{
    static const struct trap_handler table[] = {{"one", TRAP_ANY, move_pc}};
    struct trap trap = {.kind = TRAP_DEBUG, .pc = 0x1000};

    (void)state;
    trap_init(table, 1);
    assert_true(trap_dispatch(&trap));
    assert_int_equal(trap.pc, 0x1002);
}

/* First: trap_init() has not been called yet. */
static void without_a_table_nothing_is_handled(void **state)
{
    struct trap trap = {.kind = TRAP_PAGE_FAULT};

    (void)state;
    assert_false(trap_dispatch(&trap));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_table_nothing_is_handled),
        cmocka_unit_test(the_first_that_handles_ends_the_search),
        cmocka_unit_test(a_handler_is_asked_about_its_kinds_only),
        cmocka_unit_test(any_is_every_kind),
        cmocka_unit_test(nobody_is_left_when_all_decline),
        cmocka_unit_test(an_empty_table_handles_nothing),
        cmocka_unit_test(the_last_table_counts),
        cmocka_unit_test(a_handler_may_change_the_trap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
