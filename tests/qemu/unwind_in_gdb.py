"""unwind_in_gdb.py - run inside GDB, which debugs the kernel from outside through QEMU's own stub.

Steps through assembly one instruction at a time, and asks at each of them whether the unwinder
finds the registers of the caller, or of what was interrupted.  Writes one JSON object: how many
instructions were looked at, and every mismatch.  test_unwind.py starts it, and sets `settings`
before: which walk, its arguments, where to write.
"""

from __future__ import annotations

import json

import gdb

GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()
ALL = [*GENERAL, "rip", "eflags", "cs", "ss"]
KEPT_OVER_CALLS = "rbx rbp rsp r12 r13 r14 r15 rip".split()
FLAGS = 0xfed5  # of eflags: without TF and RF, which belong to whoever steps
STUB_BYTES = 16
MASK = (1 << 64) - 1


def number(expression: str) -> int:
    return int(gdb.parse_and_eval(f"(unsigned long)({expression})")) & MASK


def word(address: int) -> int:
    return number(f"*(unsigned long *){address:#x}")


def values_of(frame: gdb.Frame, names: list[str]) -> dict[str, int]:
    found = {}
    for name in names:
        found[name] = int(frame.read_register(name)) & MASK
        if name == "eflags":
            found[name] &= FLAGS
    return found


def here() -> dict[str, int]:
    return values_of(gdb.newest_frame(), ALL)


class Walk:
    """A way through assembly: what the caller's registers are, and what the unwinder made of it."""

    def __init__(self, expected: dict[str, int]) -> None:
        self.expected = expected
        self.instructions = 0
        self.mismatches: list[str] = []

    def look(self) -> None:
        """Compare at this instruction."""
        self.instructions += 1
        frame = gdb.newest_frame()
        caller = frame.older()
        if caller is None:
            self._wrong("there is no caller")
            return
        for name, value in values_of(caller, list(self.expected)).items():
            if value != self.expected[name]:
                self._wrong(f"{name} is {value:#x}, not {self.expected[name]:#x}")

    def look_for_no_caller(self) -> None:
        self.instructions += 1
        if gdb.newest_frame().older() is not None:
            self._wrong("there is a caller")

    def _wrong(self, text: str) -> None:
        place = gdb.execute("x/i $pc", to_string=True).strip()
        self.mismatches.append(f"{text} at {place}")


def run_to(place: str) -> None:
    """Run to an address; breakpoints of QEMU's stub leave memory alone."""
    breakpoint = gdb.Breakpoint(f"*({place})", type=gdb.BP_HARDWARE_BREAKPOINT, internal=True)
    gdb.execute("continue", to_string=True)
    breakpoint.delete()


def instruction() -> str:
    """The one at the pc: "call   0xffffffff80101060 <arch_trap>"."""
    return gdb.execute("x/i $pc", to_string=True).split(":", 1)[1].strip()


def step() -> None:
    """One instruction, but all of a function that is called."""
    if instruction().startswith("call"):
        behind = gdb.execute("x/2i $pc", to_string=True).splitlines()[1].split()[0]
        run_to(behind)
    else:
        gdb.execute("stepi", to_string=True)


# ---- Traps ----

def hardware_frame(registers: dict[str, int], error_code: bool) -> dict[str, int]:
    """What was interrupted, at the first instruction of a stub: the processor has pushed rip, cs,
    rflags, rsp and ss, and touched nothing else (SDM 3A, figure 6-9)."""
    place = registers["rsp"] + (8 if error_code else 0)
    pushed = {name: word(place + 8 * n)
              for n, name in enumerate(["rip", "cs", "eflags", "rsp", "ss"])}
    pushed["eflags"] &= FLAGS
    return registers | pushed


def to_the_handler(walk: Walk) -> Walk:
    while "<arch_trap>" not in instruction():
        walk.look()
        step()
    walk.look()
    return walk


def through_a_trap(vector: int, error_code: bool, before: dict[str, int] | None,
                   returns: bool) -> Walk:
    """From the stub's first instruction to the handler, and back if it returns.  `before`: some
    registers as they were when the trap came."""
    run_to(f"(char *)trap_stubs + {STUB_BYTES * vector}")
    walk = Walk(hardware_frame(here(), error_code))
    for name, value in (before or {}).items():
        if walk.expected[name] != value:
            walk.mismatches.append(f"the trap pushed {name} {walk.expected[name]:#x}, "
                                   f"not {value:#x}")
    to_the_handler(walk)
    gdb.execute("stepi", to_string=True)  # into the handler: unwinders pass through two frames
    interrupted = gdb.newest_frame().older().older()
    if values_of(interrupted, ALL) != walk.expected:
        walk.mismatches.append("the caller of the stub is wrong from inside the handler")
    if returns:
        back_from_a_trap(walk)
    return walk


def back_from_a_trap(walk: Walk) -> None:
    """From the return of the handler, which may have changed the frame, to behind the iretq."""
    run_to(f"{word(number('$rsp')):#x}")
    frame = gdb.parse_and_eval("*(struct trap_frame *)$rax")
    walk.expected = {name: int(frame["rflags" if name == "eflags" else name]) & MASK
                     for name in ALL}
    walk.expected["eflags"] &= FLAGS
    end = walk.expected["rip"]
    while number("$rip") != end:
        walk.look()
        step()
    if here() != walk.expected:
        walk.mismatches.append("after the return, the registers are not those of the frame")


def breakpoint_trap() -> Walk:
    """Without an error code, on an IST stack."""
    run_to("arch_breakpoint")
    before = here()
    return through_a_trap(3, False, before | {"rip": before["rip"] + 1}, True)


def step_trap() -> Walk:
    """#DB, by the trap flag: for QEMU a step of its own hides the trap, so run into it."""
    run_to("arch_breakpoint")
    gdb.execute("set var $rip = $rip + 1")  # not the int3, but the ret behind it
    gdb.execute("set var $eflags = $eflags | 0x100")
    return through_a_trap(1, False, None, True)


def page_fault_in_a_copy() -> Walk:
    """With an error code, and mended: the frame that is returned to is another one."""
    run_to("arch_breakpoint")
    gdb.execute("set var $rdi = (unsigned long)&heartbeat")
    gdb.execute("set var $rsi = 16")
    gdb.execute("set var $rdx = 8")
    gdb.execute("set var $rip = (unsigned long)arch_copy")
    return through_a_trap(14, True, None, True)


def nmi() -> Walk:
    """In the middle of the heartbeat's loop."""
    run_to("arch_pause")
    gdb.execute("monitor nmi", to_string=True)
    return through_a_trap(2, False, None, True)


def fault(vector: int, error_code: bool) -> Walk:
    """One that ends in a crash."""
    return through_a_trap(vector, error_code, None, False)


def all_stubs(vectors: dict[int, bool]) -> Walk:
    """The instructions of each of the 256 stubs, entered by hand on a frame that is there."""
    run_to("arch_breakpoint")
    run_to("(char *)trap_stubs + 3 * 16")
    registers = here()
    walk = Walk(hardware_frame(registers, False))
    common = number("&trap_common")
    for vector in range(256):
        sp = registers["rsp"] - (8 if vectors.get(vector, False) else 0)
        gdb.execute(f"set var $rsp = {sp:#x}")
        gdb.execute(f"set var $rip = {number('&trap_stubs') + STUB_BYTES * vector:#x}")
        while number("$rip") != common:
            walk.look()
            gdb.execute("stepi", to_string=True)
        walk.look()
        if word(number("$rsp")) != vector:
            walk.mismatches.append(f"stub {vector} says that it is {word(number('$rsp'))}")
    return walk


# ---- Calls ----

def just_called() -> Walk:
    """At a function's first instruction."""
    registers = here()
    expected = {name: registers[name] for name in KEPT_OVER_CALLS}
    return Walk(expected | {"rip": word(registers["rsp"]), "rsp": registers["rsp"] + 8})


def enter_by_hand(function: str) -> Walk:
    """As if called from where arch_breakpoint() has been."""
    run_to("arch_breakpoint")
    for name, value in ARGUMENTS[function].items():
        gdb.execute(f"set var ${name} = (unsigned long)({value})")
    gdb.execute(f"set var $rip = (unsigned long)&{function}")
    return just_called()


def to_its_return(walk: Walk) -> Walk:
    while number("$rip") != walk.expected["rip"]:
        walk.look()
        step()
    registers = here()
    if {name: registers[name] for name in KEPT_OVER_CALLS} != walk.expected:
        walk.mismatches.append("after the return, the registers are not the caller's")
    return walk


STACK_TOP = "(char *)&stacks + sizeof(stacks)"
CONTEXT = "(char *)&stacks + sizeof(stacks) - 4096"
ARGUMENTS = {
    "call_on_stack": {"rdi": STACK_TOP, "rsi": "&arch_cpu_count", "rdx": "0"},
    "arch_run_on_stack": {"rdi": STACK_TOP, "rsi": "&arch_cpu_count", "rdx": "0"},
    "guarded_call": {"rdi": "&arch_cpu_count", "rsi": "0", "rdx": CONTEXT},
    "arch_copy": {"rdi": CONTEXT, "rsi": "&heartbeat", "rdx": "4"},
}


def call(function: str) -> Walk:
    return to_its_return(enter_by_hand(function))


def guarded_call_escape() -> Walk:
    """From a function that has lost the registers which the context keeps."""
    walk = enter_by_hand("guarded_call")
    run_to("arch_cpu_count")
    for name in ("rbx", "rbp", "r12", "r13", "r14", "r15"):
        gdb.execute(f"set var ${name} = 0x1234")
    gdb.execute(f"set var $rdi = (unsigned long)({CONTEXT})")
    gdb.execute("set var $rsp = $rsp + 16")  # guard.c: as in the context
    gdb.execute("set var $rip = (unsigned long)&guarded_call_escape")
    kept, walk.expected = walk.expected, {name: walk.expected[name] for name in ("rip", "rsp")}
    while not instruction().startswith("ret"):
        walk.look()
        step()
    walk.expected = kept
    return to_its_return(walk)


def bottom_of_a_stack() -> Walk:
    """arch_run_on_stack() has no caller to go back to."""
    walk = enter_by_hand("arch_run_on_stack")
    while not instruction().startswith("ud2"):
        walk.look_for_no_caller()
        step()
    return walk


def new_segments() -> Walk:
    run_to("reload_segments")
    walk = just_called()
    end = walk.expected["rip"]
    while number("$rip") != end:
        walk.look()
        step()
    return walk


def panic() -> Walk:
    """A trap without hardware: from the call to the handler."""
    run_to("arch_panic")
    return to_the_handler(just_called())


def main() -> None:
    gdb.execute("set pagination off")
    gdb.execute("set backtrace past-main on")
    scenario, arguments, result = settings  # noqa: F821: set by who starts this
    walk = globals()[scenario](*arguments)
    with open(result, "w", encoding="ascii") as file:
        json.dump({"instructions": walk.instructions, "mismatches": walk.mismatches}, file)


main()
