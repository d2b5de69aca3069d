"""crashes.py - every failure of run=provoke:NAME: what its crash record must say.

Knows what must come out, and nothing of how.
"""

from __future__ import annotations

from dataclasses import dataclass

from guest import ROOT

PROVOKE_C = "kernel/provoke.c"
PROVOKE_MEMORY_C = "kernel/provoke_memory.c"
PROVOKE_CPUS_C = "kernel/provoke_cpus.c"
HEAP_CHECK_C = "kernel/heap_check.c"
PROVOKE_ASM = "arch/x86_64/provoke.asm"
STATUS = 70  # of a machine that has crashed


@dataclass(frozen=True)
class Crash:
    exception: str  # as processor manuals call it; "" if the kernel gave up by itself
    function: str   # the place to look at
    code: str       # the beginning of the one source line there
    rule: str       # the kind of explanation
    words: str      # of it, that must be in the verdict
    file: str = PROVOKE_C
    span: int = 1   # how many lines from there on are right: a whole function's
    options: str = ""     # for the command line
    early: bool = False   # before there is a disk, or anything to run
    no_ram: bool = False  # the memory that outlives resets is out of reach, too

    of_user: bool = False  # in what a user program has called: its frame is the outermost

    @property
    def sent_again(self) -> bool:
        """Does the next boot send the record, before it fails in the same way?"""
        return not self.early and not self.no_ram

    @property
    def lines(self) -> range:
        """The numbers of the lines."""
        lines = (ROOT / self.file).read_text().splitlines()
        [number] = [n for n, text in enumerate(lines, 1) if text.strip().startswith(self.code)]
        return range(number, number + self.span)


CRASHES = {
    "divide": Crash("#DE", "provoke_divide", "office.total_weight = office.total_weight /",
                    "divide-by-zero", "division by zero"),
    "invalid-opcode": Crash("#UD", "provoke_invalid_opcode", "__builtin_trap()",
                            "invalid-opcode", "ud2"),
    "null-read": Crash("#PF", "next_parcel", "return parcel->next",
                       "null-pointer", "null pointer: read at offset 0x18"),
    "null-write": Crash("#PF", "provoke_null_write", "first->next = NULL",
                        "null-pointer", "null pointer: write at offset 0x18"),
    "null-call": Crash("#PF", "provoke_null_call", "office.deliver(office.shelf)",
                       "null-call", "null function pointer"),
    "wild-read": Crash("#GP", "provoke_wild_read", "office.total_weight += freed->weight",
                       "non-canonical", "non-canonical address 0xdeadbeefdeadbeef"),
    "write-text": Crash("#PF", "provoke_write_text", "*code = 0xc3",
                        "write-text", "write to read-only kernel text"),
    "write-rodata": Crash("#PF", "provoke_write_rodata", "*price = 0",
                          "write-rodata", "write to read-only data: prices+0x10"),
    "exec-data": Crash("#PF", "provoke_exec_data", "code();",
                       "execute-data", "execution of no-execute memory: received"),
    "stack-overflow": Crash("#DF", "sort_parcels", "static STORY uint64_t sort_parcels(",
                            "stack-overflow", "stack ran into its guard page", span=9),
    "smashed-return-address": Crash("#PF", "print_label", "static STORY void print_label(",
                                    "corrupted-return",
                                    "corrupted return address 0x414141414141", span=6),
    "gp-segment": Crash("#GP", "arch_provoke_bad_selector", "mov fs, eax",
                        "bad-selector", "bad segment selector 0x7ff8", PROVOKE_ASM),
    "gp-msr": Crash("#GP", "arch_provoke_bad_register", "wrmsr  ",
                    "bad-msr", "model-specific register: 0x6e1", PROVOKE_ASM),
    "double-fault": Crash("#DF", "arch_provoke_lost_stack", "push rax",
                          "bad-stack-pointer", "bad stack pointer: rsp = 0x100000000000",
                          PROVOKE_ASM),
    "panic": Crash("", "provoke_panic", 'panic("the shelf holds',
                   "panic", "panic: the shelf holds 0 parcels but weighs 7 g"),
    "assert": Crash("", "provoke_assert", "kassert(office.parcel_count > 0)",
                    "assert", "assertion failed: office.parcel_count > 0"),
    "heap-overflow": Crash("", "report_outside", 'panic("heap: %zu byte%s written', "panic",
                           "5 bytes written past the end of a 40-byte block", HEAP_CHECK_C),
    "heap-use-after-free": Crash("", "check_poison", 'panic("heap: byte %zu of a %u-byte block',
                                 "panic", "byte 0 of a 32-byte block", HEAP_CHECK_C),
    "heap-read-after-free": Crash("#GP", "provoke_heap_read_after_free",
                                  "store.total_weight += store.shelf->next->weight",
                                  "use-after-free", "use after free: read through a pointer",
                                  PROVOKE_MEMORY_C),
    "heap-double-free": Crash("", "check_pointer", 'panic("heap: a %u-byte block at %p is freed',
                              "panic", "is freed twice, first at pc", HEAP_CHECK_C),
    "out-of-memory": Crash("", "provoke_out_of_memory", 'panic("out of memory: no room',
                           "panic", "no room for another parcel, 0 page frames are free",
                           PROVOKE_MEMORY_C),
    "recursion-in-panic": Crash("", "provoke_recursion_in_panic",
                                'panic("the first of two panics")',
                                "panic", "panic: the first of two panics"),
    "nmi": Crash("#NMI", "arch_provoke_nmi", "int 2", "nmi", "non-maskable interrupt",
                 PROVOKE_ASM, span=2, options="gdb=off"),
    "nmi-stack": Crash("#PF", "weigh_on_stack", "office.total_weight += next_parcel",
                       "null-pointer", "null pointer: read at offset 0x18"),
    "machine-check": Crash("#MC", "arch_provoke_machine_check", "int 18", "machine-check",
                           "machine check", PROVOKE_ASM, span=2),
    "stub-stack": Crash("#PF", "weigh_on_stack", "office.total_weight += next_parcel",
                        "null-pointer", "null pointer: read at offset 0x18"),
    "lost-gs": Crash("#PF", "arch_provoke_lost_gs", "mov rax, [gs:8]", "wild-pointer",
                     "wild pointer: read of 0x1000dead0008", PROVOKE_ASM),
    "lost-gate": Crash("#DF", "arch_provoke_lost_gate", "mov rax, [rax]  ", "double-fault",
                       "double fault", PROVOKE_ASM),
    "lost-tables": Crash("#PF", "arch_provoke_lost_tables", "mov rax, [rax + 0x1000]",
                         "wild-pointer", "wild pointer: read of 0xffff800000001000", PROVOKE_ASM,
                         no_ram=True),
    "stack-smash": Crash("", "copy_label", "static STORY void copy_label(", "panic",
                         "panic: stack smashed: a local array was overrun", span=10),
    "secret": Crash("", "provoke_secret", 'panic("the safe has been opened")', "panic",
                    "panic: the safe has been opened"),
    "interrupt": Crash("#PF", "wake_due", "while (cpu->asleep != NULL && cpu->asleep->wake_us",
                       "null-pointer", "null pointer: read at offset 0x", "kernel/schedule.c"),
    "locked": Crash("#PF", "weigh", "counter.total_weight += counter.shelf->weight",
                    "null-pointer", "null pointer: read at offset 0x0", PROVOKE_CPUS_C),
    "system-call": Crash("#PF", "process_check", "if (!thread->process->ending)",
                         "null-pointer", "null pointer: read at offset 0x", "kernel/process.c",
                         of_user=True),
    "console": Crash("#PF", "line_length", "while (i < most && text[i]", "null-pointer",
                     "null pointer: read at offset 0x8", "kernel/console.c"),
    "two-cpus": Crash("#PF", "weigh", "counter.total_weight += counter.shelf->weight",
                      "null-pointer", "null pointer: read at offset 0x0", PROVOKE_CPUS_C),
    "beside-spin": Crash("#PF", "weigh", "counter.total_weight += counter.shelf->weight",
                         "null-pointer", "null pointer: read at offset 0x0", PROVOKE_CPUS_C),
    "early": Crash("#DE", "open_office", "office.total_weight = office.total_weight %",
                   "divide-by-zero", "division by zero", early=True),
}
