/*
 * syscalls.c - QCatchSyscalls: at which system calls GDB wants to stop.  The port asks.
 */
#include "internal.h"

/* ;NUMBER... */
static enum verdict take_numbers(struct gdbstub *stub, struct request *request)
{
    while (stub_take_char(&request->args, ';')) {
        if (!stub_take(request, "#"))
            return VERDICT_MALFORMED;
        uint64_t number = request->value[0];
        if (number >= GDBSTUB_MAX_SYSCALLS)
            return stub_refuse(stub, "system calls from 512 on are only caught all together");
        stub->caught[number / 8] |= (uint8_t)(1 << number % 8);
    }
    return stub_at_end(&request->args) ? VERDICT_OK : VERDICT_MALFORMED;
}

/* QCatchSyscalls:0, or :1 and a list; without one it is about all of them */
enum verdict stub_handle_catch(struct gdbstub *stub, struct request *request)
{
    stub->catches_all = false;
    memset(stub->caught, 0, sizeof(stub->caught));
    if (stub_take_char(&request->args, '0'))
        return stub_at_end(&request->args) ? VERDICT_OK : VERDICT_MALFORMED;
    if (!stub_take_char(&request->args, '1'))
        return VERDICT_MALFORMED;
    stub->catches_all = stub_at_end(&request->args);
    return take_numbers(stub, request);
}

bool gdbstub_catches_syscall(const struct gdbstub *stub, uint64_t number)
{
    if (!stub->attached || stub->catches_all)
        return stub->attached;
    return number < GDBSTUB_MAX_SYSCALLS && (stub->caught[number / 8] >> number % 8 & 1) != 0;
}
