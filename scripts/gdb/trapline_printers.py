"""trapline_printers.py - how GDB prints the kernel's own structs: a line of words, lists as their
members.  .gdbinit and `crash.py gdb` load it; `print/r` shows what the compiler sees.

A printer reads what its value says and trusts none of it: a list ends where it cannot be read, or
after as many steps as there are threads.
"""

import sys
from pathlib import Path

import gdb
import gdb.printing

HERE = Path(__file__).resolve().parent
sys.path[:0] = [path for path in (str(HERE), str(HERE.parent)) if path not in sys.path]

import trapline_state as state  # noqa: E402  (the line above finds it)
from crashlib.payloads import name_of  # noqa: E402
from crashlib.system import ThreadState  # noqa: E402
from crashlib.tables import vectors  # noqa: E402
from crashlib.x86 import flag_names  # noqa: E402

STEPS_MAX = 256  # THREADS
TEXT_MAX = 64


def text(pointer):
    """A constant of the kernel's, in quotes; "?" if it is none."""
    problems = []
    found = state.text_at(pointer, TEXT_MAX, problems, "")
    return "?" if problems else f'"{found}"'


def thread_words(thread):
    return f'{int(thread["id"])} "{state.characters(thread["name"])}"'


def owner_words(pointer):
    """The thread that a pointer is to."""
    if not int(pointer):
        return "nobody"
    thread = state.target_of(pointer, [], "")
    return f"{int(pointer) & state.MASK64:#x}, which cannot be read" if thread is None else (
        f"thread {thread_words(thread)}")


def members(first):
    """The threads of a queue: their names, and pointers to them."""
    pointer, seen = first, set()
    while int(pointer):
        thread = state.target_of(pointer, [], "")
        if int(pointer) in seen or len(seen) >= STEPS_MAX or thread is None:
            yield "not intact", pointer
            return
        seen.add(int(pointer))
        yield thread_words(thread), pointer
        pointer = thread["next"]


class Printer:
    """Words, and all fields but those that say nothing to people."""
    HIDDEN = ()

    def __init__(self, value):
        self.value = value

    def children(self):
        for field in self.value.type.fields():
            if field.name not in self.HIDDEN:
                yield field.name, self.value[field.name]


class Thread(Printer):
    HIDDEN = ("context",)  # bytes of FXSAVE

    def to_string(self):
        thread = self.value
        if not int(thread["id"]):
            return "no thread"
        words = [f"thread {thread_words(thread)}",
                 name_of(ThreadState, int(thread["state"])).lower(), f"CPU {int(thread['cpu'])}"]
        if int(thread["queue"]) or int(thread["wants"]):
            words.append(f"waits for {text(thread['wait_reason'])}")
        return ", ".join(words)


class SpinLock(Printer):
    def to_string(self):
        lock, holder = self.value, int(self.value["holder"])
        held = f"held by CPU {holder - 1}, taken in {state.place(int(lock['site']) - 1)}"
        return f"spin lock {text(lock['name'])}, {held if holder else 'free'}"


class WaitQueue(Printer):
    def to_string(self):
        waiting = len(list(self.children()))
        return f"queue {text(self.value['lock']['name'])}, {waiting or 'nobody'} waiting"

    def children(self):
        return members(self.value["first"])


class RunQueue(WaitQueue):
    def to_string(self):
        return f"run queue of {len(list(self.children()))}"


class Mutex(WaitQueue):
    def to_string(self):
        mutex = self.value
        name = text(mutex["waiters"]["lock"]["name"])
        if not int(mutex["owner"]):
            return f"mutex {name}, free"
        return (f"mutex {name}, held by {owner_words(mutex['owner'])}, taken in "
                f"{state.place(int(mutex['site']) - 1)}")

    def children(self):
        return members(self.value["waiters"]["first"])


class TrapFrame(Printer):
    NUMBERS = ("vector", "error", "cs", "ss")  # the others may be addresses

    def to_string(self):
        number, error = int(self.value["vector"]), int(self.value["error"])
        vector = next((row for row in vectors() if row.number == number), None)
        name = f"#{vector.mnemonic} {vector.name}" if vector else f"vector {number:#x}"
        code = f", error code {error:#x}" if vector and vector.has_error else ""
        pc = int(self.value["rip"])
        return f"{name}{code}, at {state.symbol(pc) or hex(pc)}"

    def children(self):
        pointer = gdb.lookup_type("void").pointer()
        for name, value in super().children():
            if name == "rflags":
                yield name, f"{int(value):#x} [{flag_names('eflags', int(value))}]"
            else:
                yield name, value if name in self.NUMBERS else value.cast(pointer)


class HeapBlock(Printer):
    def to_string(self):
        block = self.value
        words = str(block["state"].cast(gdb.lookup_type("enum heap_block_state")))
        return (f"{words.removeprefix('BLOCK_').lower()} block, {int(block['size'])} bytes of "
                f"thread {int(block['thread'])}")


PRINTERS = {"thread": Thread, "spin_lock": SpinLock, "wait_queue": WaitQueue,
            "run_queue": RunQueue, "mutex": Mutex, "trap_frame": TrapFrame,
            "heap_block": HeapBlock}


def define():
    collection = gdb.printing.RegexpCollectionPrettyPrinter("trapline")
    for tag, printer in PRINTERS.items():
        collection.add_printer(tag, f"^{tag}$", printer)
    gdb.printing.register_pretty_printer(None, collection, replace=True)


define()
