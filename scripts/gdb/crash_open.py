"""crash_open.py - run inside GDB by `crash.py gdb`: names threads and sets convenience variables.

Reads the file that TRAPLINE_CORE_FACTS names: {"threads": {lwp: name}, "variables": {name: n}}.
"""

import json
import os

import gdb


def main():
    with open(os.environ["TRAPLINE_CORE_FACTS"], encoding="utf-8") as file:
        facts = json.load(file)
    for thread in gdb.selected_inferior().threads():
        thread.name = facts["threads"].get(str(thread.ptid[1]), thread.name)
    for name, value in facts["variables"].items():
        wide = gdb.lookup_type("unsigned long long")
        gdb.set_convenience_variable(name, gdb.Value(value.to_bytes(8, "little"), wide))


main()
