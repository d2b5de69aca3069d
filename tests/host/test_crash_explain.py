"""Each way to fail gets the right verdict, with the right place, from a made-up record."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from crash_records import PANIC_VECTOR, STACK_BOTTOM, STACK_TOP, Crash, build_victim
from crashlib import explain
from crashlib.backtrace import Frame
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.report import Report, make_report
from crashlib.rules_stack import recursion_words
from crashlib.symbols import Symbols

NON_CANONICAL = 0xDEADBEEFDEADBEEF
GUARD = STACK_BOTTOM - 0x1000
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build_victim(tmp_path_factory.mktemp("victim"))


def report_of(crash: Crash) -> Report:
    record, = load(crash.make())
    assert record.complete, record.problems
    return make_report(Evidence(record, Symbols(crash.elf, True, "")))


def null_read(elf):
    crash = Crash(elf, address=0x18).at("victim_null_read", "488b4718")
    return crash.called_by("victim_null_read", "kernel_main")


def null_write(elf):
    crash = Crash(elf, error=2, address=0x18).at("victim_null_write", "48c74718")
    return crash.called_by("victim_null_write", "kernel_main")


def divide(elf):
    crash = Crash(elf, vector=0, registers={"rsi": 0}).at("victim_divide", "f7fe")
    return crash.called_by("victim_divide", "kernel_main")


def divide_overflow(elf):
    crash = Crash(elf, vector=0, registers={"rsi": 1, "rdx": 7}).at("victim_divide", "f7fe")
    return crash.called_by("victim_divide", "kernel_main")


def null_call(elf):
    crash = Crash(elf, error=0x10, registers={"rdi": 0}, code=b"")
    crash.called_by("victim_call", "kernel_main", leaf=False)
    crash.registers["rsp"] = crash.registers["rbp"] - 8
    crash.stack[crash.registers["rsp"]] = crash.symbol("victim_call") + 6
    return crash


def exec_data(elf):
    crash = null_call(elf)
    crash.pc = crash.address = crash.registers["rdi"] = crash.symbol("data_code")
    return replace(crash, error=0x11, code=bytes(range(16)), entries=(3, 3, 3, (1 << 63) | 3),
                   mapped=True)


def wild_call(elf):
    crash = null_call(elf)
    crash.pc = crash.address = crash.registers["rdi"] = 0x123456789000
    return crash


def write_text(elf):
    crash = Crash(elf, error=3).at("victim_write", "c7072a")
    crash.address = crash.registers["rdi"] = crash.symbol("victim_call")
    return crash.called_by("victim_write", "kernel_main")


def write_rodata(elf):
    crash = write_text(elf)
    crash.address = crash.registers["rdi"] = crash.symbol("fixed_table") + 8
    return crash


def invalid_opcode(elf):
    crash = Crash(elf, vector=6).at("victim_invalid", "0f0b")
    return crash.called_by("victim_invalid", "kernel_main")


def overflow(elf):
    crash = Crash(elf, vector=8, address=0).at("victim_overflow", "e8")
    behind = crash.return_address("victim_overflow", "victim_overflow")
    frame = STACK_BOTTOM + 0x50
    crash.registers.update(rsp=STACK_BOTTOM, rbp=frame - 0x10, cr2=STACK_BOTTOM - 8)
    for _ in range(100):
        crash.stack[frame - 0x10], crash.stack[frame - 8] = frame + 0x40, behind
        frame += 0x50
    return replace(crash, stack_start=STACK_BOTTOM)


def smashed(elf):
    crash = Crash(elf, error=0x10, pc=0x414141414141, address=0x414141414141, code=b"")
    crash.called_by("victim_smash", "victim_careless", "kernel_main")
    slot, frame = crash.registers["rsp"], crash.registers["rbp"]
    crash.stack[slot] = crash.pc
    crash.registers["rsp"] = slot + 8
    caller = crash.return_address("kernel_main", "victim_careless")
    crash.backtrace = [(crash.pc, slot + 8, 1), (caller, frame, 2)]
    return crash


def return_to_text_string(elf):
    crash = Crash(elf, vector=13).at("victim_smash", "c3")
    crash.called_by("victim_smash", "victim_careless")
    crash.stack[crash.registers["rsp"]] = 0x4141414141414141
    return crash


def wild_read(elf):
    crash = Crash(elf, vector=13, registers={"rdi": NON_CANONICAL})
    return crash.at("victim_null_read", "488b4718").called_by("victim_null_read", "kernel_main")


def bad_selector(elf):
    crash = Crash(elf, vector=13, error=0x1230, registers={"rdi": 0x1230})
    return crash.at("victim_selector", "8ee7").called_by("victim_selector", "kernel_main")


def bad_msr(elf):
    crash = Crash(elf, vector=13, registers={"rcx": 0xDEAD}).at("victim_rdmsr", "0f32")
    return crash.called_by("victim_rdmsr", "kernel_main")


def misaligned(elf):
    crash = Crash(elf, vector=13, registers={"rdi": STACK_BOTTOM + 4})
    return crash.at("victim_vector", "0f2907").called_by("victim_vector", "kernel_main")


def lost_stack(elf):
    crash = Crash(elf, vector=8, registers={"rsp": 0x100000000000, "rbp": STACK_TOP - 0x40})
    return crash.at("victim_invalid", "0f0b")


def good_stack_double(elf):
    crash = Crash(elf, vector=8).at("victim_invalid", "0f0b")
    return crash.called_by("victim_invalid", "kernel_main")


def panicked(elf):
    crash = Crash(elf, vector=PANIC_VECTOR, text="out of cheese: 3")
    crash.called_by("panic", "victim_panic", "kernel_main", leaf=False)
    crash.pc = crash.return_address("panic", "crash_panic_entry")
    return crash


def asserted(elf):
    return replace(panicked(elf), text="assertion failed: cheese > 3, victim.c:9, victim_panic")


def guard_page(elf):
    crash = Crash(elf, error=2, address=GUARD + 0x10).at("victim_write", "c7072a")
    crash.called_by("victim_write", "kernel_main")
    crash.registers["rdi"] = crash.address
    return crash


def corrupt_tables(elf):
    return replace(null_read(elf), error=9, address=0x5018, entries=(0xFFFFFFFFFFFFFFFF,),
                   registers={**null_read(elf).registers, "rdi": 0x5000})


def user_read(elf):
    crash = null_read(elf)
    crash.registers["rdi"] = 0x400000
    return replace(crash, error=1, address=0x400018, entries=(7, 7, 7, 7), mapped=True)


def wild_pointer(elf):
    crash = null_read(elf)
    crash.registers["rdi"] = STACK_TOP + 0x100
    return replace(crash, address=STACK_TOP + 0x118)


def protection_key(elf):
    crash = null_read(elf)
    crash.registers["rdi"] = STACK_BOTTOM
    return replace(crash, error=0x21, address=STACK_BOTTOM + 0x18, entries=(3, 3, 3, 3),
                   mapped=True)


def user_code(elf):
    crash = null_call(elf)
    crash.pc = crash.address = crash.registers["rdi"] = 0x400000
    return replace(crash, error=0x11, entries=(7, 7, 7, 7), mapped=True)


def forbidden(elf):
    return Crash(elf, vector=13).at("victim_invalid", "0f0b").called_by("victim_invalid",
                                                                        "kernel_main")


def non_canonical_call(elf):
    crash = null_call(elf)
    crash.pc = crash.registers["rdi"] = NON_CANONICAL
    return replace(crash, vector=13, error=0)


def freed(elf):
    crash = wild_read(elf)
    crash.registers["rdi"] = 0xDFDFDFDFDFDFDFDF
    return crash


def uninitialised_call(elf):
    crash = non_canonical_call(elf)
    crash.pc = crash.registers["rdi"] = 0xCDCDCDCDCDCDCDCD
    return crash


def flipped(elf):
    crash = wild_read(elf)
    crash.registers["rdi"] = (STACK_BOTTOM + 0x800) ^ 1 << 50
    return crash


def alignment_check(elf):
    return replace(null_read(elf), vector=17, address=0)


# make, rule, cause, function that the verdict names, words that must be among the reasons
SCENARIOS = [
    (null_read, "null-pointer", "null pointer: read at offset 0x18", "list_next",
     ["rdi = 0", "is null, a struct node *; offset 0x18 is its field `next`"]),
    (null_write, "null-pointer", "null pointer: write at offset 0x18", "victim_null_write",
     ["rdi = 0", "field `next`"]),
    (divide, "divide-by-zero", "division by zero: esi = 0", "victim_divide", ["idiv esi"]),
    (divide_overflow, "divide-overflow", "the quotient does not fit", "victim_divide", ["= 0x1"]),
    (null_call, "null-call", "call through a null function pointer: pc = 0", "victim_call",
     ["call rdi", "rdi = 0"]),
    (exec_data, "execute-data", "execution of no-execute memory: data_code", "victim_call",
     ["is in kernel.data", "call rdi"]),
    (wild_call, "wild-call", "call through a bad function pointer: pc = 0x123456789000",
     "victim_call", ["Nothing is mapped", "call rdi"]),
    (write_text, "write-text", "write to read-only kernel text: victim_call", "victim_write",
     ["mapped read-only", "rdi = 0x"]),
    (write_rodata, "write-rodata", "write to read-only data: fixed_table+0x8", "victim_write",
     ["mapped read-only"]),
    (invalid_opcode, "invalid-opcode", "invalid opcode: ud2", "victim_invalid",
     ["__builtin_trap"]),
    (overflow, "stack-overflow", "stack overflow: the main stack ran into its guard page",
     "victim_overflow", ["guard page", "calls itself without an end", "0x50 bytes of stack each"]),
    (smashed, "corrupted-return", "corrupted return address 0x414141414141", "victim_smash",
     ["No call led there", "gone back to victim_careless", "one call only, of victim_smash"]),
    (return_to_text_string, "corrupted-return", "corrupted return address 0x4141414141414141",
     "victim_smash", ['the text "AAAAAAAA"', "not canonical"]),
    (wild_read, "non-canonical", "read of non-canonical address 0xdeadbeefdeadbf07", "list_next",
     ["rdi = 0xdeadbeefdeadbeef", "bits 63 to 47"]),
    (bad_selector, "bad-selector", "bad segment selector 0x1230", "victim_selector",
     ["GDT entry 582", "edi = 0x1230"]),
    (bad_msr, "bad-msr", "read of a bad model-specific register: 0xdead", "victim_rdmsr",
     ["ecx = 0xdead"]),
    (misaligned, "misaligned", "misaligned vector access", "victim_vector", ["multiple of 16"]),
    (lost_stack, "bad-stack-pointer", "bad stack pointer: rsp = 0x100000000000", "victim_invalid",
     ["in no stack"]),
    (good_stack_double, "double-fault", "double fault", "victim_invalid", ["is a good stack"]),
    (panicked, "panic", "panic: out of cheese: 3", "victim_panic", []),
    (asserted, "assert", "assertion failed: cheese > 3", "victim_panic", []),
    (guard_page, "stack-overflow", "stack overflow: guard page of the main stack hit",
     "victim_write", ["rdi = 0x"]),
    (corrupt_tables, "page-tables", "corrupted page table", "list_next", ["RSVD"]),
    (user_read, "user-memory", "kernel read of user memory", "list_next", ["SMAP"]),
    (wild_pointer, "wild-pointer", "wild pointer: read of 0xffffff8000015118", "list_next",
     ["0x118 past the end of the main stack"]),
    (protection_key, "page-permission", "forbidden read of 0xffffff8000011018", "list_next",
     ["[rdi + 0x18]"]),
    (user_code, "execute-user", "kernel executed user memory at 0x400000", "victim_call",
     ["SMEP"]),
    (forbidden, "protection", "general protection at `ud2`", "victim_invalid", ["broke a rule"]),
    (non_canonical_call, "non-canonical-jump", "jump to non-canonical address 0xdeadbeefdeadbeef",
     "victim_call", ["bits 63 to 47", "call rdi"]),
    (freed, "use-after-free", "use after free: read through a pointer out of freed memory",
     "list_next", ["rdi = 0xdfdfdfdfdfdfdfdf", "is what freed heap memory is filled with"]),
    (uninitialised_call, "uninitialised", "uninitialised pointer: call through", "victim_call",
     ["0xcdcdcdcdcdcdcdcd is what new heap memory is filled with", "call rdi"]),
    (flipped, "non-canonical", "read of non-canonical address 0xfffbff8000011818", "list_next",
     ["With bit 50 the other way rdi = 0xfffbff8000011800 would be 0xffffff8000011800 (the main "
      "stack, 0x3800 below its top)"]),
    (alignment_check, "alignment", "alignment check", "list_next", ["EFLAGS.AC"]),
]


@pytest.mark.parametrize("make, rule, cause, function, reasons", SCENARIOS,
                         ids=[row[0].__name__ for row in SCENARIOS])
def test_the_verdict_names_cause_place_and_reason(elf, make, rule, cause, function, reasons):
    report = report_of(make(elf))
    said = " ".join(report.reasons)
    assert (report.rule, report.place.function) == (rule, function), f"{report.cause}; {said}"
    assert cause in report.cause
    assert [text for text in reasons if text not in said] == [], said
    assert report.place.file.endswith("victim.c") and report.place.line > 0


def test_every_rule_speaks_in_one_of_the_scenarios(elf, monkeypatch):
    rules, spoke = {rule.__name__ for rule in explain.RULES}, set()

    def listening(rule):
        def listened(evidence):
            verdict = rule(evidence)
            if verdict is not None:
                spoke.add(rule.__name__)
            return verdict
        return listened

    monkeypatch.setattr(explain, "RULES", [listening(rule) for rule in explain.RULES])
    for make, *_ in SCENARIOS:
        record, = load(make(elf).make())
        explain.explain(Evidence(record, Symbols(elf, True, "")))
    assert rules - spoke == set(), "rules that nothing tests"


def test_inlined_functions_are_frames_of_their_own(elf):
    frames = report_of(null_read(elf)).frames
    assert [(f.function, f.inline) for f in frames[:3]] == [
        ("list_next", True), ("victim_null_read", False), ("kernel_main", False)]
    assert frames[0].source == "struct node *next = node->next;"
    assert frames[0].trust == frames[1].trust == "context" and frames[2].trust == "cfi"


def test_code_that_differs_from_the_elf_is_reported(elf):
    crash = null_read(elf)
    crash.code = bytes.fromhex("488b4818 488305")
    warning, = report_of(crash).warnings
    assert warning == ("The code at victim_null_read+0x2 was 48, the ELF has 47: the kernel's text "
                       "was overwritten.")


def test_a_planted_breakpoint_is_called_one(elf):
    crash = null_read(elf)
    crash.code = bytes.fromhex("488b4718 cc8305")
    warning, = report_of(crash).warnings
    assert "A breakpoint (int3) was planted at victim_null_read+0x4" in warning


def test_frames_beyond_the_debuggers_reach_come_from_the_kernels_backtrace(elf):
    crash = lost_stack(elf)
    caller = crash.return_address("kernel_main", "victim_invalid")
    crash.backtrace = [(crash.pc, 0x100000000000, 1), (caller, STACK_TOP - 0x40, 2)]
    frames = report_of(crash).frames
    assert [(f.function, f.trust) for f in frames] == [
        ("victim_invalid", "context"), ("kernel_main", "frame")]
    assert frames[1].line > 0


def test_the_frame_in_which_a_recursion_ended_does_not_distort_their_size():
    stacks = [0x1008, *range(0x1018, 0x2000, 0xE0)]  # it had pushed one register of three
    frames = [Frame(0x100, "cfi", stack, "again") for stack in stacks]
    words, = recursion_words(SimpleNamespace(frames=frames))
    assert words.endswith(f"all {len(frames)} frames, 0xe0 bytes of stack each."), words
