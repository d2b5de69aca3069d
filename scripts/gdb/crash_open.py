"""crash_open.py - run inside GDB by `crash.py gdb`: names threads, sets convenience variables for
what a core has no registers for ($cr2, $error, ...), and shows the crashed frame.

Expects the core and the symbols to be loaded.  Reads the file that TRAPLINE_CORE_FACTS names:
{"names": {lwp: name}, "variables": {name: number}, and what trapline_commands.py shows of a
record that a core has no place for}.
"""

import json
import os
from pathlib import Path

import gdb

HERE = Path(__file__).resolve().parent


def main():
    with open(os.environ["TRAPLINE_CORE_FACTS"], encoding="utf-8") as file:
        facts = json.load(file)
    for thread in gdb.selected_inferior().threads():
        thread.name = facts["names"].get(str(thread.ptid[1]), thread.name)
    wide = gdb.lookup_type("unsigned long long")
    for name, value in facts["variables"].items():
        gdb.set_convenience_variable(name, gdb.Value(value.to_bytes(8, "little"), wide))
    for script in ("trapline_commands.py", "trapline_printers.py"):
        gdb.execute(f"source {HERE / script}")
    gdb.execute("frame")  # once more: without symbols, GDB could not name it


main()
