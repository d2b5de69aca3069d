/*
 * test_acpi_spcr.c - ACPI's SPCR: which console it names, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "acpi_memory.h"

/* COM2, IRQ 3, at 57600 bits a second, in 2.0's form. */
static const uint8_t spcr_body[44] = {
    0, 0, 0, 0,                                           /* a 16550 */
    1, 8, 0, 1, 0xf8, 0x02, 0,    0,    0,    0,    0, 0, /* at port 2f8 */
    3, 3, 3, 0, 0,    0,                                  /* IRQ 3, which is GSI 3, too */
    6, 0, 1, 0, 0,    0,    0xff, 0xff, 0xff, 0xff,
};

static bool read_spcr(const uint8_t *body, size_t len, struct acpi_spcr *spcr)
{
    static const uint32_t rsdt[] = {OTHER_TABLE, SPCR};

    put_rsdp(RSDP, 0);
    put_table(RSDT, "RSDT", rsdt, sizeof(rsdt));
    put_table(OTHER_TABLE, "HPET", "other", 5);
    put_table(SPCR, "SPCR", body, len);
    return acpi_read_spcr(&memory, RSDP, spcr);
}

static void test_the_console_of_the_firmware_is_found(void **state)
{
    struct acpi_spcr spcr;

    (void)state;
    assert_true(read_spcr(spcr_body, sizeof(spcr_body), &spcr));
    assert_int_equal(spcr.port, 0x2f8);
    assert_int_equal(spcr.irq, 3);
    assert_int_equal(spcr.speed, 57600);
}

/* One byte of the table says otherwise. */
static void test_what_the_firmware_leaves_open_is_zero(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
        uint8_t irq;
        unsigned speed;
    } cases[] = {
        {22, 0, 3, 0},      {22, 5, 3, 0},     {22, 8, 3, 0},       {22, 255, 3, 0},
        {22, 3, 3, 9600},   {22, 4, 3, 19200}, {22, 7, 3, 115200},  {16, 2, 0, 57600},
        {17, 16, 0, 57600}, {0, 1, 3, 57600},  {0, 0x12, 3, 57600},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t body[sizeof(spcr_body)];
        struct acpi_spcr spcr;

        memcpy(body, spcr_body, sizeof(body));
        body[cases[i].at] = cases[i].value;
        assert_true(read_spcr(body, sizeof(body), &spcr));
        assert_int_equal(spcr.irq, cases[i].irq);
        assert_int_equal(spcr.speed, cases[i].speed);
    }
}

static void test_a_console_that_cannot_be_driven_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {
        {0, 3},     /* an ARM's */
        {4, 0},     /* registers in memory */
        {10, 1},    /* a port beyond 64 Ki */
        {15, 0x80}, /* ... far beyond */
    };
    static const uint8_t nowhere[sizeof(spcr_body)] = {[4] = 1};
    struct acpi_spcr spcr;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t body[sizeof(spcr_body)];

        memcpy(body, spcr_body, sizeof(body));
        body[cases[i].at] = cases[i].value;
        assert_false(read_spcr(body, sizeof(body), &spcr));
    }
    assert_false(read_spcr(nowhere, sizeof(nowhere), &spcr));
    assert_false(read_spcr(spcr_body, 22, &spcr)); /* ends before the speed */
    memset(bytes + SPCR, 0, sizeof(struct acpi_table));
    assert_false(acpi_read_spcr(&memory, RSDP, &spcr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_console_of_the_firmware_is_found),
        TEST(test_what_the_firmware_leaves_open_is_zero),
        TEST(test_a_console_that_cannot_be_driven_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
