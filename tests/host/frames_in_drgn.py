"""frames_in_drgn.py - the pcs of every thread's frames, inlined ones left out, as a line of JSON:
run by drgn, of the core that it has; run by Python as `frames_in_drgn.py ELF CORE...`, of each of
these.
"""

import json
import sys

import drgn

MARK = "FRAMES "


def frames_of(trace):
    pcs = []
    for frame in trace:
        if frame.is_inline:
            continue
        try:
            pcs.append(frame.pc)
        except LookupError:
            break  # the pc below the outermost frame is undefined
    return [pc for pc in pcs if pc]


def tell(program):
    print(MARK + json.dumps({
        "selected": program.crashed_thread().tid,
        "frames": {thread.tid: frames_of(thread.stack_trace()) for thread in program.threads()}}))


def opened(elf, core):
    program = drgn.Program()
    program.set_core_dump(core)
    program.load_debug_info([elf])
    return program


if "prog" in globals():  # drgn's
    tell(prog)  # noqa: F821
else:
    for path in sys.argv[2:]:
        tell(opened(sys.argv[1], path))
