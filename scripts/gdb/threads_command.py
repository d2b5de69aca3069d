"""threads_command.py - `info threads` in a few packets.  .gdbinit loads it.

GDB's own command asks for the registers of each thread, two packets for one line.  Most threads of
a kernel wait in the same place: the stub says who is where in one packet, and GDB is asked for the
line of each place once.  What is printed is what GDB's own command prints; of another target than
this kernel, too.
"""

import contextlib
import re

import gdb

PLACES = "qXfer:threads:read:places:{:x},ff0"
NO_ARGUMENTS = re.compile(r"(0x\w+ in )?\S+ \(\)( |$)")  # what a function's line begins with
TARGET_ID = re.compile(r"^Thread (\S+) has target id '(.*)'$", re.MULTILINE)


def places():
    """Where each thread is: {id: pc}, of a stub that says so."""
    connection = gdb.selected_inferior().connection
    if not isinstance(connection, gdb.RemoteTargetConnection):
        return {}
    text, more = b"", True
    while more:
        piece = connection.send_packet(PLACES.format(len(text)).encode()) or b""
        if piece[:1] not in (b"m", b"l"):
            return {}
        text, more = text + piece[1:], piece[:1] == b"m"
    known = {}
    for item in text.decode().split(";")[:-1]:
        run, _, pc = item.partition(":")
        first, _, last = run.partition("-")
        known |= dict.fromkeys(range(int(first, 16), int(last or first, 16) + 1), int(pc, 16))
    return known


@contextlib.contextmanager
def selection_kept():
    """Select what was selected before, however this ends."""
    thread, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        yield
    finally:
        thread.switch()
        frame.select()


class Frames:
    """The line of each thread's frame; one line for all threads in the same place, unless it has
    arguments."""

    def __init__(self):
        self._pcs = places()
        self._lines = {}  # by pc

    def line(self, thread):
        if thread.is_running():
            return "(running)"
        pc = self._pcs.get(thread.ptid[1])
        if pc in self._lines:
            return self._lines[pc]
        line = frame_line(thread)
        if pc and NO_ARGUMENTS.match(line):
            self._lines[pc] = line
        return line


def frame_line(thread):
    if not is_selected(thread):
        thread.switch()
    try:
        return gdb.execute("frame", to_string=True).partition("\n")[0].partition("  ")[2]
    except gdb.error as error:
        return str(error)


def is_selected(thread):
    selected = gdb.selected_thread()
    return selected is not None and thread.global_num == selected.global_num


def qualified(thread):
    """Its number, as GDB shows it."""
    several = len(gdb.inferiors()) > 1
    return f"{thread.inferior.num}.{thread.num}" if several else str(thread.num)


def all_threads():
    """By number.  GDB reads the list anew for this."""
    threads = [thread for inferior in gdb.inferiors() for thread in inferior.threads()]
    return sorted(threads, key=lambda thread: (thread.inferior.num, thread.num))


def chosen(threads, words):
    """Those that GDB means by these words."""
    numbers = gdb.execute(f"thread apply {words} -q python print(gdb.selected_thread().global_num)",
                          to_string=True).split()
    return [thread for thread in threads if str(thread.global_num) in numbers]


def target_ids(threads):
    if all(thread.inferior.pid == thread.ptid[0] == 1 for thread in threads):  # the stub's process
        return {qualified(thread): f"Thread 1.{thread.ptid[1]}" for thread in threads}
    return dict(TARGET_ID.findall(gdb.execute("thread find .", to_string=True)))


def describe(target_id, thread):
    return target_id + (f' "{thread.name}"' if thread.name else "") + (
        f" ({thread.details})" if thread.details else "")


class InfoThreads(gdb.Command):
    """Display currently known threads.
Usage: info threads [-gid] [ID]...
If ID is given, it is a space-separated list of IDs of threads to display.
Otherwise, all threads are displayed.  -gid shows global thread IDs, too."""

    def __init__(self):
        super().__init__("info threads", gdb.COMMAND_STATUS)

    def invoke(self, argument, _from_tty):
        words = argument.split()
        with_global = words[:1] == ["-gid"]
        ids = " ".join(words[with_global:])
        threads = all_threads()
        if ids:
            threads = chosen(threads, ids)
        if threads:
            with selection_kept():
                table = list(self._table(threads, with_global))
            print("\n".join(table))
        else:
            print(f"No threads match '{ids}'." if ids else "No threads.")

    def _table(self, threads, with_global):
        names, frames, marked = target_ids(threads), Frames(), gdb.selected_thread().global_num
        wholes = [describe(names.get(qualified(thread), ""), thread) for thread in threads]
        width = max(map(len, [*wholes, "Target Id"]))
        gid = f"{'GId':<4} " if with_global else ""
        yield f"  {'Id':<4} {gid}{'Target Id':<{width}} Frame "
        for thread, whole in zip(threads, wholes):
            mark = "*" if thread.global_num == marked else " "
            gid = f"{thread.global_num:<4} " if with_global else ""
            yield f"{mark} {qualified(thread):<4} {gid}{whole:<{width}} {frames.line(thread)}"


InfoThreads()
