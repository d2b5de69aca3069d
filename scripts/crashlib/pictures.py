"""pictures.py - the drawings of an HTML report, as inline SVG: the crashed stack, the map of
memory, a time line of events across CPUs.

Draws what a Report says; colours are the page's CSS variables, so that light and dark both work.
"""

from __future__ import annotations

from crashlib.markup import Markup, element
from crashlib.memory_picture import NO_FRAME, MemoryPart, StackWord
from crashlib.others import EventPart
from crashlib.report import Report
from crashlib.text_lines import wide

ROW = 15
STACK_WIDTH, BAR_LEFT, BAR_WIDTH, WORDS_LEFT = 560, 8, 46, 84
MAP_WIDTH, MAP_NAME = 560, 330
LINE_WIDTH, LANE, LANE_LEFT = 1120, 30, 64
TEXT_MAX = 34  # characters of a meaning
RANGES_MAX = 48
KIND_COLOURS = {"TEXT": "--blue", "RODATA": "--violet", "DATA": "--green", "STACK": "--amber",
                "GUARD": "--red", "HEAP": "--green", "DIRECT": "--dim", "DEVICE": "--dim"}
EVENT_COLOURS = {"trap": "--red", "switch": "--blue", "syscall": "--green",
                 "syscall_end": "--green"}


def _text(x: float, y: float, text: str, class_: str = "", **more: object) -> Markup:
    return element("text", text, x=round(x, 1), y=round(y, 1),
                   **({"class_": class_} if class_ else {}), **more)


def _box(x: float, y: float, width: float, height: float, fill: str, title: str = "",
         **more: object) -> Markup:
    inside = [element("title", title)] if title else []
    return element("rect", *inside, x=round(x, 1), y=round(y, 1), width=round(max(width, 1), 1),
                   height=round(max(height, 1), 1), fill=f"var({fill})", **more)


def _svg(width: int, height: float, label: str, parts: list[Markup]) -> Markup:
    return element("svg", *parts, viewBox=f"0 0 {width} {round(height)}", width=width,
                   height=round(height), role="img", aria_label=label)


def _cut(text: str, most: int = TEXT_MAX) -> str:
    return text if len(text) <= most else text[:most - 1] + "…"


# ---- The crashed stack --------------------------------------------------------------------------

def stack_picture(report: Report) -> Markup:
    """Left the whole stack to scale, right its words with what they are."""
    stack = report.stack
    if not stack.words:
        return Markup("")
    rows = list(reversed(stack.words))
    height = max(ROW * (len(rows) + 3), 160)
    return _svg(STACK_WIDTH, height, f"The words of {stack.name}",
                [*_whole_stack(report, height), *_words(report, rows)])


def _whole_stack(report: Report, height: float) -> list[Markup]:
    stack = report.stack
    bottom, top = int(stack.bottom, 16), int(stack.top, 16)
    guard = int(stack.guard, 16) if stack.guard else bottom
    pointer = min(max(int(stack.pointer, 16), guard), top)
    scale = (height - 2 * ROW) / (top - guard)

    def y(address: int) -> float:
        return ROW + (top - address) * scale

    parts = [_box(BAR_LEFT, y(top), BAR_WIDTH, (top - bottom) * scale, "--free",
                  f"{stack.name}: {stack.bottom} to {stack.top}", stroke="var(--line)")]
    if pointer >= bottom:
        parts.append(_box(BAR_LEFT, y(top), BAR_WIDTH, (top - pointer) * scale, "--band1",
                          f"in use: {top - pointer} bytes"))
    for number, frame in enumerate(report.frames):
        if bottom <= frame.stack <= top and not frame.inline:
            parts.append(_box(BAR_LEFT, y(frame.stack), BAR_WIDTH, 1, "--blue",
                              f"#{number} {frame.function}"))
    if guard < bottom:
        parts.append(_box(BAR_LEFT, y(bottom), BAR_WIDTH, (bottom - guard) * scale, "--red",
                          "guard page: touching it is a fault", opacity="0.75"))
        parts.append(_text(BAR_LEFT, height - 3, "guard page", "redtext"))
    parts.append(_box(BAR_LEFT - 4, y(pointer) - 1, BAR_WIDTH + 8, 2, "--red", "rsp"))
    return [*parts, _text(BAR_LEFT, ROW - 4, f"{(top - bottom) // 1024} KiB", "dimtext")]


def _words(report: Report, rows: list[StackWord]) -> list[Markup]:
    frames = list(dict.fromkeys(row.frame for row in rows if row.frame != NO_FRAME))
    parts, y, before = [], 2.0 * ROW, None
    for row in rows:
        address = int(row.address, 16)
        if before is not None and before - address != 8:
            parts.append(_text(WORDS_LEFT + 4, y - 4, f"… {before - address - 8} bytes …",
                               "dimtext"))
            y += ROW
        band = "--band1" if row.frame in frames[::2] else "--band2"
        parts += _word(report, row, y, band)
        y, before = y + ROW, address
    parts.append(_text(WORDS_LEFT, y, "▲ rsp" if rows[-1].address == report.stack.pointer
                       else f"rsp is {report.stack.pointer}", "redtext"))
    return parts


def _word(report: Report, row: StackWord, y: float, band: str) -> list[Markup]:
    frame = report.frames[row.frame] if 0 <= row.frame < len(report.frames) else None
    title = f"frame #{row.frame} {frame.function}" if frame else "no frame"
    label = " ".join(text for text in (row.role and row.role + ":", row.meaning) if text)
    return [_box(WORDS_LEFT, y - 11, STACK_WIDTH - WORDS_LEFT, ROW, band if frame else "--free",
                 title),
            _text(WORDS_LEFT + 4, y, row.address[-6:], "dimtext"),
            _text(WORDS_LEFT + 54, y, wide(row.value)),
            _text(WORDS_LEFT + 176, y, _cut(label, 42), "redtext" if row.role else "")]


# ---- The map of memory --------------------------------------------------------------------------

def memory_picture(report: Report) -> Markup:
    ranges = [part for part in report.memory if part.kind != "PHYSICAL"][:RANGES_MAX]
    if not ranges:
        return Markup("")
    marks = _marks(report)
    owners = [(name, value, _owner(ranges, value)) for name, value in marks]
    parts, y, before = [], float(ROW), 0
    for part in ranges:
        start = int(part.start, 16)
        if start > before:
            inside = [name for name, value, _ in owners if before <= value < start]
            parts += _gap(y, start - before, inside)
            y += ROW + 3
        parts += _range(part, y, [name for name, _, owner in owners if owner is part])
        y, before = y + ROW + 3, max(before, int(part.end, 16))
    return _svg(MAP_WIDTH, y, "What memory there is", parts)


def _owner(ranges: list[MemoryPart], value: int) -> MemoryPart | None:
    """The smallest range that holds the address: others may lie around it."""
    holders = [(int(part.end, 16) - int(part.start, 16), number)
               for number, part in enumerate(ranges)
               if int(part.start, 16) <= value < int(part.end, 16)]
    return ranges[min(holders)[1]] if holders else None


def _marks(report: Report) -> list[tuple[str, int]]:
    values = {row.name: int(row.value, 16) for row in report.registers}
    marks = [("rip", values["rip"])] if "rip" in values else []
    marks += [("rsp", values["rsp"])] if "rsp" in values else []
    if report.event is not None and report.event.address:
        marks.append((f"fault address {report.event.address}", int(report.event.address, 16)))
    return marks


def _gap(y: float, length: int, marks: list[str]) -> list[Markup]:
    text = f"{_size(length)} not mapped" if length < 1 << 62 else "not mapped"
    parts = [_text(16, y + 8, f"⋮  {text}", "dimtext")]
    return parts + ([_text(MAP_NAME, y + 8, "◀ " + ", ".join(marks), "redtext")] if marks else [])


def _range(part: MemoryPart, y: float, marks: list[str]) -> list[Markup]:
    start, end = int(part.start, 16), int(part.end, 16)
    guard = part.kind == "GUARD"
    saved = {"YES": "saved", "PARTLY": "saved in part", "IN_FILE": "in the ELF file",
             "SECRET": "withheld"}.get(part.captured, "not saved")
    title = f"{part.start} to {part.end} {part.permissions} {part.name}, {saved}"
    name = f"guard page of {part.name}" if guard else part.name or part.kind.lower()
    if part.kind == "STACK" and "stack" not in name:  # it has its thread's
        name += " stack"
    parts = [_box(8, y - 3, 5, ROW, KIND_COLOURS.get(part.kind, "--dim"), title),
             _box(13, y - 3, MAP_WIDTH - 16, ROW, "--hit" if guard or marks else "--free", title,
                  opacity="0.8"),
             _text(18, y + 8, wide(part.start), "dimtext"), _text(142, y + 8, part.permissions),
             _text(176, y + 8, f"{_size(end - start):>8}", "dimtext", xml_space="preserve"),
             _text(248, y + 8, _cut(name, 26 if marks else 44))]
    return parts + ([_text(MAP_NAME + 100, y + 8, "◀ " + _cut(", ".join(marks), 18), "redtext")]
                    if marks else [])


def _size(length: int) -> str:
    for unit, name in ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if length >= unit:
            return f"{length / unit:.3g} {name}"
    return f"{length} B"


# ---- The time line ------------------------------------------------------------------------------

def time_line(report: Report) -> Markup:
    events = [event for event in report.events if event.since_crash_us is not None]
    if not events:
        return Markup("")
    cpus = sorted({event.cpu for event in events})
    first = min(event.since_crash_us for event in events)
    last = max(0, max(event.since_crash_us for event in events))
    scale = (LINE_WIDTH - LANE_LEFT - 40) / max(last - first, 1)

    def x(us: int) -> float:
        return LANE_LEFT + 10 + (us - first) * scale

    height = LANE * (len(cpus) + 1) + 14
    parts = []
    for lane, cpu in enumerate(cpus):
        y = LANE * lane + 8
        parts += _lane(cpu, y, [event for event in events if event.cpu == cpu], x, last)
    parts += _axis(first, last, x, LANE * len(cpus) + 10)
    crash_cpu = report.event.cpu if report.event else None
    top = LANE * cpus.index(crash_cpu) if crash_cpu in cpus else 0
    parts += [_box(x(0) - 1, top + 2, 2, height - top - 24, "--red", "the crash"),
              _text(x(0) + 5, height - 4, "crash", "redtext", text_anchor="end")]
    return _svg(LINE_WIDTH, height, "The last events of each CPU before the crash", parts)


def _lane(cpu: int, y: float, events: list[EventPart], x, last: int) -> list[Markup]:
    parts = [_text(4, y + 15, f"CPU {cpu}"),
             _box(LANE_LEFT, y + 4, LINE_WIDTH - LANE_LEFT - 20, LANE - 14, "--free")]
    switches = [event for event in events if event.kind == "switch"]
    for number, event in enumerate(switches):
        end = switches[number + 1].since_crash_us if number + 1 < len(switches) else last
        left = x(event.since_crash_us)
        band = "--band1" if number % 2 else "--band2"
        parts.append(_box(left, y + 4, x(end) - left, LANE - 14, band, event.text))
        if (x(end) - left) / 7 > len(str(event.number)) + 7:
            parts.append(_text(left + 4, y + 15, f"thread {event.number}", "dimtext"))
    parts += [_box(x(event.since_crash_us) - 1.5, y, 3, LANE - 6,
                   EVENT_COLOURS.get(event.kind, "--dim"),
                   f"{event.since_crash_us / 1e6:+.6f} s: {event.text}") for event in events]
    return parts


def _axis(first: int, last: int, x, y: float) -> list[Markup]:
    step = 10 ** (len(str(max(last - first, 1))) - 1)
    while (last - first) / step < 4 and step > 1:
        step = step // 2 if str(step)[0] == "1" and step > 1 else step * 2 // 5
    parts, mark = [], -(-first // step) * step
    while mark <= last and len(parts) < 40:
        if mark:
            parts += [_box(x(mark), y - 4, 1, 4, "--dim"),
                      _text(x(mark), y + 10, _duration(mark), "dimtext", text_anchor="middle")]
        mark += step
    return parts


def _duration(us: int) -> str:
    for unit, name in ((1000000, "s"), (1000, "ms")):
        if abs(us) >= unit:
            return f"{us / unit:+.3g} {name}"
    return f"{us:+d} µs"
