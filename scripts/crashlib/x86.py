"""x86.py - what the bits of an x86-64 processor mean, in words.

Pure functions on integers.  Knows no record, no symbols, no instructions (disasm.py).
"""

from __future__ import annotations

PAGE = 4096
MASK64 = (1 << 64) - 1
PF_VECTOR = 14

# The registers of NT_PRSTATUS, in its order (struct user_regs_struct).
PRSTATUS_REGISTERS = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
    "rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds",
    "es", "fs", "gs")

# How a report shows them: the caller's eye looks for arguments and the stack first.
GENERAL_REGISTERS = (
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
    "r13", "r14", "r15")

# Page-fault error code (SDM 3A 4.7): bit, word if set, word if clear.
PF_PRESENT, PF_WRITE, PF_USER, PF_RESERVED, PF_FETCH = 1, 2, 4, 8, 16
PF_BITS = (
    (0, "P", "the page is present: its permissions forbid this", "the page is not present"),
    (1, "W", "write", ""),
    (2, "U", "by user code", ""),
    (3, "RSVD", "a reserved bit is set in the page tables", ""),
    (4, "I", "instruction fetch", ""),
    (5, "PK", "forbidden by the page's protection key", ""),
    (6, "SS", "shadow-stack access", ""),
    (15, "SGX", "forbidden by SGX", ""),
)

# Vectors whose error code is a selector (SDM 3A 6.13).
SELECTOR_VECTORS = (10, 11, 12, 13)
SELECTOR_TABLES = ("GDT", "IDT", "LDT", "IDT")

EFLAGS_BITS = (
    (0, "CF"), (2, "PF"), (4, "AF"), (6, "ZF"), (7, "SF"), (8, "TF"), (9, "IF"), (10, "DF"),
    (11, "OF"), (14, "NT"), (16, "RF"), (17, "VM"), (18, "AC"), (21, "ID"))
CR0_BITS = (
    (0, "PE"), (1, "MP"), (2, "EM"), (3, "TS"), (4, "ET"), (5, "NE"), (16, "WP"), (18, "AM"),
    (29, "NW"), (30, "CD"), (31, "PG"))
CR4_BITS = (
    (0, "VME"), (1, "PVI"), (2, "TSD"), (3, "DE"), (4, "PSE"), (5, "PAE"), (6, "MCE"),
    (7, "PGE"), (8, "PCE"), (9, "OSFXSR"), (10, "OSXMMEXCPT"), (11, "UMIP"), (12, "LA57"),
    (16, "FSGSBASE"), (17, "PCIDE"), (18, "OSXSAVE"), (20, "SMEP"), (21, "SMAP"), (22, "PKE"),
    (23, "CET"))
EFER_BITS = ((0, "SCE"), (8, "LME"), (10, "LMA"), (11, "NXE"))
FLAG_REGISTERS = {"eflags": EFLAGS_BITS, "cr0": CR0_BITS, "cr4": CR4_BITS, "efer": EFER_BITS}


def is_canonical(address: int) -> bool:
    """With four levels of page tables: bits 63 to 47 are all equal."""
    return address >> 47 in (0, (1 << 17) - 1)


def flag_names(register: str, value: int) -> str:
    """The names of the set bits, and the I/O privilege level's number if it is not 0."""
    names = [name for bit, name in FLAG_REGISTERS[register] if value >> bit & 1]
    if register == "eflags" and value >> 12 & 3:
        names.append(f"IOPL={value >> 12 & 3}")
    return " ".join(names)


def page_fault_bits(error: int) -> list[str]:
    """The error code, bit by bit, in words."""
    words = []
    for bit, name, when_set, when_clear in PF_BITS:
        text = when_set if error >> bit & 1 else when_clear
        if text:
            words.append(f"{name}={error >> bit & 1} {text}")
    if not error & (PF_WRITE | PF_FETCH):
        words.insert(1, "W=0 read")
    if not error & PF_USER:
        words.insert(2, "U=0 by kernel code")
    return words


def selector_words(error: int) -> str:
    """A selector error code (SDM 3A 6.13, figure 6-7)."""
    external = ", met while delivering an interrupt or exception (EXT)" if error & 1 else ""
    table = SELECTOR_TABLES[error >> 1 & 3]
    if table == "IDT":
        return f"IDT entry {error >> 3} (vector {error >> 3:#x}){external}"
    return f"{table} entry {error >> 3} (selector {error & 0xFFFC:#x}){external}"


def error_code_names(error: int) -> str:
    """ "P|W" """
    return "|".join(name for bit, name, _, _ in PF_BITS if error >> bit & 1)
