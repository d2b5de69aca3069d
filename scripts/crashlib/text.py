"""text.py - a report as text for people: 80 columns, verdict first.

Prints what a Report says and adds nothing.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from crashlib.backtrace import TRUST_FRAME, TRUST_SCAN, Frame
from crashlib.others_text import render_others
from crashlib.report import OPTIMIZED_OUT, Event, Report
from crashlib.text_lines import WIDTH, Line, heading, printable, trust_mark, wide, wrapped

__all__ = ["event_words", "printable", "render", "short_value"]

CYCLE_LENGTHS = range(1, 5)  # of recursion: f, f -> g, ...
CYCLES_KEPT, CYCLES_WORTH_FOLDING = 2, 4
LOCALS_SHOWN = 12
BYTES_SHOWN = 7 * 3 - 1  # characters of an instruction's bytes
SHORT_REGISTERS = ("cs", "ss", "ds", "es", "fs", "gs")

UNREADABLE = re.compile(r" ?<(error: )?Cannot access memory at address 0x[0-9a-f]+>")


def render(report: Report) -> list[Line]:
    lines: list[Line] = []
    for part in (_head, _why, _backtrace, _registers, _code, render_others, _log, _missing,
                 _go_on):
        lines += part(report)
    return lines


def _head(report: Report) -> list[Line]:
    place = report.place
    where = ""
    if place.function:
        where = f"  {place.relation} {place.function}"
        where += f" at {place.file}:{place.line}" if place.file else ""
    one_line = report.cause + where.replace("  ", ", ", 1)
    if len(one_line) <= WIDTH:
        lines = [[(one_line, "verdict")]]
    else:
        lines = wrapped(report.cause, "verdict", "")
        lines += wrapped(where.strip(), "verdict", "    ") if where else []
    lines += wrapped(event_words(report), "", "", "    ")
    for warning in report.warnings:
        lines += wrapped(warning, "warning", "! ", "")
    return lines


def event_words(report: Report) -> str:
    """ "#PF page fault, cpu 0, 0.007 s after boot" """
    event = report.event
    if event is None:
        return f"record {report.record_id or 'without a name'}"
    words = [_exception_words(event), f"cpu {event.cpu}"]
    words += ["user code"] if event.user else []
    words += [f'thread "{event.thread_name}"'] if event.thread_name else []
    return ", ".join([*words, f"{event.uptime_us / 1e6:.3f} s after boot"])


def _exception_words(event: Event) -> str:
    error = f", error code {event.error}" if event.error.strip("0x") else ""
    names = f" ({event.error_names})" if event.error_names else ""
    return f"{event.exception} {event.name}{error}{names}".strip()


def _why(report: Report) -> list[Line]:
    lines = heading("WHAT HAPPENED")
    for reason in report.reasons:
        lines += wrapped(reason)
    event = report.event
    if event is not None and event.error_words:
        lines += wrapped(f"Error code {event.error}: " + "; ".join(event.error_words) + ".")
    for walk in report.walks:
        if not walk.expected:
            path = f", by {walk.path}" if ">" in walk.path else ""
            lines += wrapped(f"Page walk of the {walk.purpose} {walk.address}: {walk.summary}"
                              f"{path}.")
    for row in report.nested:
        section = f", writing {row.section}" if row.section else ""
        lines += wrapped(f"The crash writer failed, too{section}: {row.text or row.name}, at "
                          f"{row.symbol or row.pc}.", "warning")
    return lines if len(lines) > 2 else []


def _backtrace(report: Report) -> list[Line]:
    lines = heading("BACKTRACE", _trust_legend(report.frames))
    for item in _fold(report.frames):
        lines += [[("       " + item, "dim")]] if isinstance(item, str) else _frame(*item)
    if not report.frames:
        lines += wrapped("no frames")
    for note in report.backtrace_notes:
        lines += wrapped(f"({note})", "dim")
    shown = report.locals[:LOCALS_SHOWN]
    if shown:
        lines += wrapped(f"locals of #{report.locals_of}: "
                          + ", ".join(f"{v.name} = {short_value(v.value)}" for v in shown))
    return lines


def _trust_legend(frames: list[Frame]) -> str:
    words = []
    if any(frame.trust == TRUST_FRAME for frame in frames):
        words.append("~ by frame pointers")
    if any(frame.trust == TRUST_SCAN for frame in frames):
        words.append("? a guess: a word on the stack")
    return "; ".join(words)


def _frame(number: int, frame: Frame) -> list[Line]:
    where = "in the user program" if frame.is_of_user else "not in any function"
    name = frame.function or f"{frame.pc:#x}, {where}"
    arguments = ", ".join(f"{v.name}={short_value(v.value)}" for v in frame.arguments)
    if frame.function:
        name += f"({arguments})" if frame.file or frame.arguments else f"+{frame.offset or 0:#x}"
    extra = "  inlined" if frame.inline else "  (trap)" if frame.signal else ""
    first = textwrap.shorten(name, WIDTH - 16, placeholder=" ...)")
    head = f" {trust_mark(frame)}#{number:<3d} "
    lines: list[Line] = [[(head, ""), (first, "function"), (extra, "dim")]]
    if frame.file:
        source = _cut(frame.source, max(WIDTH - 10 - len(frame.place), 20))
        lines.append([(f"       {frame.place}", "place"), ("   " if source else "", ""),
                      (source, "source")])
    return lines


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most - 3] + "..."


def short_value(value: str) -> str:
    """An argument's value: a pointer whose target was not saved is still a good pointer."""
    value = UNREADABLE.sub("", value)
    return "?" if value == OPTIMIZED_OUT else value or "not saved"


def _fold(frames: list[Frame]) -> Iterator[str | tuple[int, Frame]]:
    """The frames with their numbers; a recursion's repetition as one line of words."""
    index = 0
    while index < len(frames):
        length, times = _cycle_at(frames, index)
        if times < CYCLES_WORTH_FOLDING:
            yield index, frames[index]
            index += 1
            continue
        for kept in range(index, index + CYCLES_KEPT * length):
            yield kept, frames[kept]
        folded = (times - CYCLES_KEPT) * length
        index += times * length
        names = " and ".join(dict.fromkeys(f.function for f in frames[index - length:index]))
        yield f"... {folded} more frames of {names} ..."


def _cycle_at(frames: list[Frame], start: int) -> tuple[int, int]:
    """The shortest cycle of frames that repeats from `start`: its length and how often."""
    for length in CYCLE_LENGTHS:
        times = 1
        while _same(frames, start, start + times * length, length):
            times += 1
        if times >= CYCLES_WORTH_FOLDING:
            return length, times
    return 1, 1


def _same(frames: list[Frame], first: int, second: int, length: int) -> bool:
    if second + length > len(frames):
        return False
    return all(frames[first + n].function and frames[first + n].function ==
               frames[second + n].function for n in range(length))


def _registers(report: Report) -> list[Line]:
    if not report.registers:
        return []
    lines = heading("REGISTERS")
    zero = [row.name for row in report.registers if not int(row.value, 16)]
    for row in report.registers:
        if row.name not in zero and row.name not in SHORT_REGISTERS:
            meaning = textwrap.shorten(row.meaning, WIDTH - 28, placeholder=" ...")
            lines.append([(f"  {row.name:<9} ", ""), (wide(row.value), "function"),
                          (f" {meaning}", "")])
    short = [f"{row.name} {int(row.value, 16):#x}" for row in report.registers
             if row.name in SHORT_REGISTERS and row.name not in zero]
    lines += wrapped(", ".join(short)) if short else []
    lines += wrapped("0: " + " ".join(zero), "dim") if zero else []
    return lines


def _code(report: Report) -> list[Line]:
    if not report.code:
        return []
    lines = heading("CODE", report.code_of)
    for row in report.code:
        mark, style = ("=>", "pc") if row.at_pc else ("  ", "")
        data = row.data if len(row.data) <= BYTES_SHOWN else row.data[:BYTES_SHOWN - 2] + ".."
        text = f"{mark} {wide(row.address)} {data:<{BYTES_SHOWN}} {row.text}"
        lines.append([(text if len(text) <= WIDTH else text[:WIDTH - 2] + "..", style)])
    return lines


def _log(report: Report) -> list[Line]:
    if not report.log:
        return []
    lines = heading("LOG", "the last messages")
    for row in report.log:
        if row.lost_before:
            lines.append([(f"  ... {row.lost_before} lost ...", "warning")])
        style = "warning" if row.level in ("error", "warning") else ""
        stamp = f"  {row.time_us / 1e6:12.6f} "
        text = f"{row.level}: {row.text}" if style else row.text
        lines += wrapped(stamp + text, style, "", " " * len(stamp))
    return lines


def _missing(report: Report) -> list[Line]:
    if not report.missing:
        return []
    lines = heading("MISSING")
    for text in report.missing:
        lines += wrapped(text)
    return lines


def _go_on(report: Report) -> list[Line]:
    lines = heading("GO ON")
    for command, what in report.go_on:
        lines.append([(f"  {what:<11}", "dim"), (command, "function")])
    for key, value in report.annotations.items():
        if key in ("version", "command_line") and value:
            lines += wrapped(f"{key.replace('_', ' ')}: {value}", "dim")
    signature = report.signature
    weak = f" (weak: {signature.weak})" if signature.weak else ""
    lines += wrapped(f"signature {signature.digest}{weak}: {signature.text}", "dim")
    identity = [f"record {report.record_id}" if report.record_id else "",
                f"crash {report.sequence} of boot {report.boot_id[:8]}" if report.boot_id else "",
                f"build id {report.build_id[:12]}" if report.build_id else ""]
    lines += wrapped(", ".join(text for text in identity if text), "dim")
    return lines
