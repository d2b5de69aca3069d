"""frames_in_lldb.py - run inside LLDB: the pcs of every thread's frames, inlined ones left out, as
one line of JSON."""

import json

MARK = "FRAMES "


def pcs_of(thread):
    """LLDB gives the function that an inlined one is in the place of the call for its pc, so the
    innermost of those that share a frame tells it."""
    frames = list(thread)
    return [frame.GetPC() for frame, inner in zip(frames, [None, *frames])
            if inner is None or not inner.IsInlined()]


def __lldb_init_module(debugger, _dictionary):
    process = debugger.GetSelectedTarget().process
    frames = {thread.GetThreadID(): pcs_of(thread) for thread in process}
    print(MARK + json.dumps({"selected": process.GetSelectedThread().GetThreadID(),
                             "frames": frames}))
