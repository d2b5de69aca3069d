"""frames_in_drgn.py - run by drgn: the pcs of every thread's frames, inlined ones left out, as one
line of JSON."""

import json

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


program = prog  # noqa: F821  (drgn's)
print(MARK + json.dumps({
    "selected": program.crashed_thread().tid,
    "frames": {thread.tid: frames_of(thread.stack_trace()) for thread in program.threads()}}))
