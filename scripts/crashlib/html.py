"""html.py - a report as one HTML file that a person can attach to a bug: no scripts, nothing loaded
from elsewhere, light or dark as the reader likes it.

Says what a Report says and adds nothing but pictures (pictures.py).  Whatever comes from the
crashed machine is escaped: it may be hostile.
"""

from __future__ import annotations

from crashlib.backtrace import Frame
from crashlib.markup import Markup, details, element, table
from crashlib.others import CpuPart, ThreadPart
from crashlib.pictures import memory_picture, stack_picture, time_line
from crashlib.report import Report
from crashlib.text import event_words, short_value
from crashlib.text_lines import wide

TRUST_TITLES = {
    "context": "from the saved registers", "cfi": "unwound by DWARF's rules",
    "frame": "by frame pointers", "scan": "a guess: a word on the stack"}
FRAMES_OPEN = 12  # of a long backtrace; the rest folds away
STYLE = """
:root { color-scheme: light dark; --bg: #fbfbfa; --fg: #1d2226; --dim: #68727a; --line: #d9dcdf;
  --card: #ffffff; --red: #b3261e; --amber: #8a5a00; --blue: #0b57a4; --green: #2c6e49;
  --violet: #6b3fa0; --code: #f1f3f4; --hit: #fde7e5; --free: #eceff1; --band1: #dbe9f8;
  --band2: #e9e1f5; --warnbg: #fff4dc; }
@media (prefers-color-scheme: dark) { :root { --bg: #15181b; --fg: #e3e6e8; --dim: #98a2aa;
  --line: #343a40; --card: #1c2024; --red: #ff8a80; --amber: #ffc766; --blue: #82b8f5;
  --green: #7fcf9f; --violet: #c3a3f0; --code: #24292e; --hit: #4a2523; --free: #262b30;
  --band1: #20344a; --band2: #33284a; --warnbg: #3a3018; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.45rem; line-height: 1.3; color: var(--red); margin: 0; }
h1 small { display: block; color: var(--fg); font-weight: 500; font-size: 1.05rem; }
h2 { font-size: .8rem; letter-spacing: .09em; text-transform: uppercase; color: var(--dim);
  margin: 0 0 .6rem; } h2 span { text-transform: none; letter-spacing: 0; font-weight: 400; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: 1rem 1.2rem; margin: 1rem 0; overflow-x: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: start;
  margin: 1rem 0; }
.pair > section { margin: 0; } @media (max-width: 60rem) { .pair { grid-template-columns: 1fr; } }
.event, .dim, figcaption { color: var(--dim); } .event { margin: .4rem 0 0; }
.warning { background: var(--warnbg); color: var(--amber); border-radius: 6px;
  padding: .5rem .8rem; margin: .6rem 0 0; }
code, pre, td.n, .mono { font-family: ui-monospace, "DejaVu Sans Mono", Consolas, monospace;
  font-size: .86em; }
ol, ul { margin: 0; padding-left: 1.3rem; } ol.frames { list-style: none; padding: 0; }
ol.frames > li { padding: .3rem 0; border-top: 1px solid var(--line); }
ol.frames > li:first-child { border: 0; }
.fn { font-weight: 600; } .place { color: var(--blue); } .src { color: var(--green); }
.tag { font-size: .72rem; padding: 0 .45em; border: 1px solid var(--line); border-radius: 9px;
  color: var(--dim); margin-left: .4em; white-space: nowrap; }
.tag.scan, .tag.frame { color: var(--amber); border-color: var(--amber); }
table { border-collapse: collapse; } td, th { text-align: left; padding: .1rem .9rem .1rem 0;
  vertical-align: top; } th { color: var(--dim); font-weight: 500; } td.n { white-space: nowrap; }
tr.hit td { background: var(--hit); } tr.error td, tr.warning td { color: var(--amber); }
summary { cursor: pointer; padding: .15rem 0; } details details { margin-left: 1rem; }
details > *:not(summary) { margin-left: 1.1rem; }
pre { background: var(--code); padding: .5rem .7rem; border-radius: 6px; overflow-x: auto;
  margin: .3rem 0; } figure { margin: 0; } svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--fg); font: 11px ui-monospace, "DejaVu Sans Mono", monospace; }
svg .dimtext { fill: var(--dim); } svg .redtext { fill: var(--red); font-weight: 700; }
footer { color: var(--dim); font-size: .85rem; }
"""


def render_html(report: Report) -> str:
    parts = [_head(report), _why(report), _section("Backtrace", _frames(report.frames),
                                                   *_notes(report), _locals(report)),
             _pictures(report), _time_line(report), _cpus(report), _threads(report),
             _locks(report), _processor(report), _log(report), _missing(report), _go_on(report)]
    head = element("head", element("meta", charset="utf-8"),
                   element("meta", name="viewport", content="width=device-width"),
                   element("title", _title(report)), element("style", Markup(STYLE)))
    return "<!doctype html>\n" + element("html", head, element("body", *parts), lang="en") + "\n"


def _title(report: Report) -> str:
    where = f", {report.place.relation} {report.place.function}" if report.place.function else ""
    return report.cause + where


def _section(title: str, *contents: Markup | str, note: str = "") -> Markup:
    kept = [part for part in contents if part]
    head = element("h2", title, *([" ", element("span", note)] if note else []))
    return element("section", head, *kept) if kept else Markup("")


def _head(report: Report) -> Markup:
    place = report.place
    where = ""
    if place.function:
        where = f"{place.relation} {place.function}"
        where += f" at {place.file}:{place.line}" if place.file else ""
    warnings = [element("p", text, class_="warning") for text in report.warnings]
    return element("section", element("h1", report.cause, element("small", where)),
                   element("p", event_words(report), class_="event"), *warnings)


def _why(report: Report) -> Markup:
    reasons = list(report.reasons)
    if report.event is not None and report.event.error_words:
        reasons.append(f"Error code {report.event.error}: "
                       + "; ".join(report.event.error_words) + ".")
    for walk in report.walks:
        if not walk.expected:
            path = f", by {walk.path}" if ">" in walk.path else ""
            reasons.append(f"Page walk of the {walk.purpose} {walk.address}: {walk.summary}{path}.")
    reasons += [f"The crash writer failed, too, writing {row.section or 'the record'}: "
                f"{row.text or row.name}, at {row.symbol or row.pc}." for row in report.nested]
    items = [element("li", *_with_code(text)) for text in reasons]
    return _section("What happened", element("ul", *items) if items else "")


def _with_code(text: str) -> list[Markup | str]:
    """Words between backticks are code."""
    return [element("code", part) if number % 2 else part
            for number, part in enumerate(text.split("`"))]


# ---- Frames -------------------------------------------------------------------------------------

def _frames(frames: list[Frame]) -> Markup:
    rows = [element("li", *_frame(number, frame)) for number, frame in enumerate(frames)]
    shown = element("ol", *rows[:FRAMES_OPEN], class_="frames")
    if len(rows) > FRAMES_OPEN:
        rest = element("ol", *rows[FRAMES_OPEN:], class_="frames")
        shown = Markup(shown + details(f"{len(rows) - FRAMES_OPEN} more frames", rest))
    return shown if rows else Markup("")


def _frame(number: int, frame: Frame) -> list[Markup | str]:
    arguments = ", ".join(f"{v.name}={short_value(v.value)}" for v in frame.arguments)
    name = f"{frame.function}({arguments})" if frame.function else f"{frame.pc:#x}"
    parts: list[Markup | str] = [element("span", f"#{number} ", class_="dim mono"),
                                 element("code", name, class_="fn")]
    if frame.inline:
        parts.append(element("span", "inlined", class_="tag"))
    if frame.signal:
        parts.append(element("span", "trap", class_="tag"))
    parts.append(element("span", frame.trust, class_=f"tag {frame.trust}",
                         title=TRUST_TITLES.get(frame.trust, "")))
    if frame.file:
        parts += [element("br"), element("span", frame.place, class_="place mono"), "  ",
                  element("code", frame.source, class_="src")]
    return parts


def _notes(report: Report) -> list[Markup]:
    return [element("p", f"({note})", class_="dim") for note in report.backtrace_notes]


def _locals(report: Report) -> Markup:
    rows = [(v.name, short_value(v.value), v.type) for v in report.locals]
    if not rows:
        return Markup("")
    return details(f"Locals of frame #{report.locals_of}",
                   table(("name", "value", "type"), rows), open_=True)


# ---- Pictures -----------------------------------------------------------------------------------

def _pictures(report: Report) -> Markup:
    stack, memory = stack_picture(report), memory_picture(report)
    caption = f"{report.stack.name}: high addresses above; each colour is a frame's"
    parts = [_section("The crashed stack", element("figure", stack, element("figcaption", caption)))
             if stack else "",
             _section("Memory", element("figure", memory, element(
                 "figcaption", "in the order of addresses, not to scale"))) if memory else ""]
    kept = [part for part in parts if part]
    return element("div", *kept, class_="pair") if kept else Markup("")


def _time_line(report: Report) -> Markup:
    if not report.events:
        return Markup("")
    rows = [(f"{_when(event) / 1e6:+.6f}", f"cpu {event.cpu}", event.text)
            for event in report.events]
    legend = "red: a trap, blue: a switch of threads, green: a system call; bands: who ran"
    return _section("Time line", element("figure", time_line(report),
                                         element("figcaption", legend)),
                    details(f"{len(rows)} events", table(("s", "", ""), rows)))


def _when(event) -> int:
    return event.time_us if event.since_crash_us is None else event.since_crash_us


# ---- The rest of the system ---------------------------------------------------------------------

def _cpus(report: Report) -> Markup:
    return _section("CPUs", *(_cpu(cpu) for cpu in report.cpus))


def _cpu(cpu: CpuPart) -> Markup:
    words = {"stopped": "stopped by the crash", "silent": "did not answer"}
    title = f"CPU {cpu.cpu}: {words.get(cpu.state, cpu.state)}"
    title += f', thread {cpu.thread} "{cpu.thread_name}"' if cpu.thread else ""
    if cpu.since_tick_us is not None:
        title += f"; {cpu.ticks} timer ticks, the last {cpu.since_tick_us / 1e6:.6f} s before"
    return details(title, _frames(cpu.frames), _values(cpu.registers), open_=bool(cpu.frames))


def _threads(report: Report) -> Markup:
    return _section("Threads", *(_thread(thread) for thread in report.threads),
                    note=str(len(report.threads)))


def _thread(thread: ThreadPart) -> Markup:
    state = f"waits for {thread.waits_for}" if thread.waits_for else thread.state
    state = "crashed" if thread.crashed else state
    title = f'{thread.id} "{thread.name}": {state}'
    title += f", held by thread {thread.held_by}" if thread.held_by else ""
    facts = [("priority", str(thread.priority)), ("cpu", str(thread.cpu)),
             ("user program", str(thread.process) if thread.process else "none"),
             ("stack", f"{thread.stack_bottom} to {thread.stack_top}")]
    if thread.for_us is not None:
        facts.append((thread.state, f"for {thread.for_us / 1e6:.6f} s"))
    if thread.wakes_in_us is not None:
        facts.append(("wakes", f"{thread.wakes_in_us / 1e6:+.6f} s from the crash"))
    return details(title, table((), facts), _frames(thread.frames), _values(thread.registers))


def _values(registers: dict[str, str]) -> Markup:
    rows = [(name, wide(value)) for name, value in registers.items()]
    return details("Registers", table((), rows)) if rows else Markup("")


def _locks(report: Report) -> Markup:
    rows = []
    for lock in report.locks:
        owner = f'{lock.owner} "{lock.owner_name}"' if lock.owner else "nobody"
        rows.append((lock.name, lock.kind, owner, lock.site,
                     ", ".join(map(str, lock.waiting)) or str(lock.waiters or "")))
    heads = ("lock", "kind", "held by thread", "taken in", "wanted by")
    return _section("Locks", table(heads, rows))


# ---- The processor, the log, the end ------------------------------------------------------------

def _processor(report: Report) -> Markup:
    zero = [row.name for row in report.registers if not int(row.value, 16)]
    rows = [(row.name, wide(row.value), row.meaning) for row in report.registers
            if row.name not in zero]
    registers = [table((), rows), element("p", "0: " + " ".join(zero), class_="dim mono")]
    code = table((), [(wide(row.address), row.data, row.text) for row in report.code],
                 ["hit" if row.at_pc else "" for row in report.code])
    return element("div", _section("Registers", *registers) if report.registers else "",
                   _section("Code", code, note=report.code_of), class_="pair")


def _log(report: Report) -> Markup:
    rows = [(f"{row.time_us / 1e6:.6f}", row.level, row.text) for row in report.log]
    return _section("Log", table((), rows, [row.level for row in report.log]))


def _missing(report: Report) -> Markup:
    items = [element("li", text) for text in report.missing]
    return _section("Missing", element("ul", *items) if items else "")


def _go_on(report: Report) -> Markup:
    commands = "\n".join(command for command, _ in report.go_on)
    signature = report.signature
    weak = f" (weak: {signature.weak})" if signature.weak else ""
    facts = [*report.annotations.items(),
             ("signature", f"{signature.digest}{weak}: {signature.text}"),
             ("record", report.record_id), ("boot", report.boot_id),
             ("build id", report.build_id), ("ELF file", report.elf or "not found")]
    return element("footer", _section("Go on", element("pre", commands) if commands else "",
                                      details("The record", table((), facts))))
