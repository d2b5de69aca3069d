"""frames_in_lldb.py - run inside LLDB: the pcs of every thread's frames, inlined ones left out, as
a line of JSON: of the selected target, or of each core that TRAPLINE_CORES names.

{"elf": PATH, "cores": [PATH, ...]} is what that variable holds.
"""

import json
import os

MARK = "FRAMES "


def pcs_of(thread):
    """LLDB gives the function that an inlined one is in the place of the call for its pc, so the
    innermost of those that share a frame tells it."""
    frames = list(thread)
    return [frame.GetPC() for frame, inner in zip(frames, [None, *frames])
            if inner is None or not inner.IsInlined()]


def tell(process):
    frames = {thread.GetThreadID(): pcs_of(thread) for thread in process}
    print(MARK + json.dumps({"selected": process.GetSelectedThread().GetThreadID(),
                             "frames": frames}))


def __lldb_init_module(debugger, _dictionary):
    wanted = json.loads(os.environ.get("TRAPLINE_CORES", "null"))
    if wanted is None:
        tell(debugger.GetSelectedTarget().process)
        return
    for core in wanted["cores"]:
        target = debugger.CreateTarget(wanted["elf"])
        tell(target.LoadCore(core))
        debugger.DeleteTarget(target)
