"""text_lines.py - lines of text with styles: how all parts of a text report are made and printed.

Colour is python3-rich's work, and only for a terminal.
"""

from __future__ import annotations

import textwrap

from crashlib.backtrace import TRUST_FRAME, TRUST_SCAN, Frame

WIDTH = 80
GLUE = "\xa0"  # a space at which textwrap does not break
TRUST_MARKS = {TRUST_FRAME: "~", TRUST_SCAN: "?"}
PLACES_FROM = 40  # the column where places begin, if the names are short enough

Line = list[tuple[str, str]]  # pieces of text, each with a style's name

STYLES = {"verdict": "bold red", "heading": "bold", "place": "cyan", "function": "bold",
          "warning": "yellow", "dim": "dim", "pc": "bold red", "source": "green", "": ""}


def heading(text: str, note: str = "") -> list[Line]:
    return [[("", "")], [(text, "heading"), (f"  {note}" if note else "", "dim")]]


def wrapped(text: str, style: str = "", indent: str = "  ", hanging: str = "  ") -> list[Line]:
    text = text.replace(" = ", f"{GLUE}={GLUE}")  # a name and its value share a line
    rows = textwrap.wrap(text, WIDTH, initial_indent=indent,
                         subsequent_indent=" " * len(indent) + hanging, break_on_hyphens=False)
    return [[(row.replace(GLUE, " "), style)] for row in rows]


def wide(value: str) -> str:
    """ "0x18" with all its 16 digits """
    return f"{int(value, 16):016x}"


def trust_mark(frame: Frame) -> str:
    return TRUST_MARKS.get(frame.trust, " ")


def place_column(frame: Frame, used: int) -> Line:
    """The frame's place, behind `used` columns; what does not fit is left out."""
    gap = max(PLACES_FROM - used, 2)
    if not frame.file or used + gap + len(frame.place) > WIDTH:
        return []
    return [(" " * gap, ""), (frame.place, "place")]


def printable(text: str) -> str:
    """Without the control characters that a log or rubbish may hold: they would move the cursor
    or worse."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_lines(lines: list[Line], colour: bool) -> None:
    lines = [[(printable(text), style) for text, style in line] for line in lines]
    if not colour:
        print("\n".join("".join(text for text, _ in line).rstrip() for line in lines))
        return
    from rich.console import Console  # late: a pipe does not need it
    from rich.text import Text

    console = Console(force_terminal=True, highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for text, style in line)))
