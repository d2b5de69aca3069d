"""trapline_commands.py - GDB's commands `trapline ...`: what the kernel knows, shown alike for a
live one and for a crash.  .gdbinit and `crash.py gdb` load it.

Each command is a function of its argument that returns lines, and a row of COMMANDS: its first line
of documentation is the help.
"""

import sys
from pathlib import Path

import gdb

HERE = Path(__file__).resolve().parent
sys.path[:0] = [path for path in (str(HERE), str(HERE.parent)) if path not in sys.path]

from trapline_show_memory import heap, whatis  # noqa: E402  (the lines above find them)
from trapline_show_processor import gdt, idt, pagewalk, tss  # noqa: E402
from trapline_show_system import cpus, locks, log, threads, traps  # noqa: E402

COMMANDS = (log, threads, cpus, locks, traps, whatis, heap, pagewalk, idt, gdt, tss)
OF_ADDRESSES = (whatis, heap, pagewalk)


class Family(gdb.Command):
    """What the kernel knows: trapline log, threads, locks, ...: `help trapline` lists them."""

    def __init__(self):
        super().__init__("trapline", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, _argument, _from_tty):
        gdb.execute("help trapline")


class Member(gdb.Command):
    def __init__(self, function):
        self.__doc__ = function.__doc__
        self._function = function
        complete = gdb.COMPLETE_EXPRESSION if function in OF_ADDRESSES else gdb.COMPLETE_NONE
        super().__init__(f"trapline {function.__name__}", gdb.COMMAND_DATA, complete)

    def invoke(self, argument, _from_tty):
        if not gdb.selected_inferior().threads():  # GDB would read the ELF file's initial values
            raise gdb.GdbError("no kernel: GDB is neither attached to one nor has a core")
        try:
            print("\n".join(self._function(argument.strip())))
        except gdb.error as error:  # a gdb.MemoryError among them
            raise gdb.GdbError(str(error)) from error


def is_defined(command):
    try:
        gdb.execute(f"help {command}", to_string=True)
        return True
    except gdb.error:
        return False


def define():
    if not is_defined("trapline"):  # .gdbinit's, which connects
        Family()
    for function in COMMANDS:
        Member(function)


define()
