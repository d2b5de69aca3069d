"""answers.py - run inside GDB by demo.py: takes commands from standard input, one a line.

Answers each with what GDB prints, and then a line of JSON: what happened, and where the program now
stands.  Decides nothing.
"""

import json
import sys

import gdb

happened = {}


def note_stop(event):
    if isinstance(event, gdb.BreakpointEvent):
        happened["breakpoints"] = [breakpoint.number for breakpoint in event.breakpoints]
    elif isinstance(event, gdb.SignalEvent):
        happened["signal"] = event.stop_signal


def note_exit(_event):
    happened["ended"] = True


def describe_frames():
    found = []
    try:
        frame = gdb.newest_frame()
        while frame is not None:
            found.append({"function": frame.name() or "??", "line": frame.find_sal().line})
            frame = frame.older()
    except gdb.error:
        pass  # no program, or no further
    return found


def answer(command):
    happened.clear()
    try:
        gdb.execute(command)
    except gdb.error as error:
        happened["error"] = str(error)
    gdb.flush()
    return {**happened, "frames": describe_frames()}


gdb.events.stop.connect(note_stop)
gdb.events.exited.connect(note_exit)
for line in sys.stdin:
    print(json.dumps(answer(line.strip())), file=sys.__stdout__, flush=True)
