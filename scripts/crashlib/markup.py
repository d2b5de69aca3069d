"""markup.py - pieces of HTML and SVG that escape whatever is not markup already.

A `str` is text and is escaped; a Markup was made here.  So nothing from a crashed machine can
become a tag or an attribute.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

VOID = ("br", "meta")  # elements without an end


class Markup(str):
    """Text that is markup already."""


def escape(text: str) -> Markup:
    """Control characters are no good in a page either: they show as replacement characters."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}"
                    for c in text)
    return Markup(html.escape(shown, quote=True))


def element(tag: str, *contents: Markup | str, **attributes: object) -> Markup:
    """`class_` stands for class, and so on; `_` within a name for `-`."""
    words = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
                    for name, value in attributes.items())
    if tag in VOID:
        return Markup(f"<{tag}{words}>")
    body = "".join(part if isinstance(part, Markup) else escape(part) for part in contents)
    return Markup(f"<{tag}{words}>{body}</{tag}>")


def details(summary: str, *contents: Markup | str, open_: bool = False) -> Markup:
    """What folds away; just the words if there is nothing to fold."""
    if not any(contents):
        return element("p", summary)
    head = element("summary", summary)
    return element("details", head, *contents, **({"open": "open"} if open_ else {}))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]],
          classes: Sequence[str] = ()) -> Markup:
    """`classes`: of the rows."""
    rows = list(rows)
    lines = [element("tr", *(element("th", text) for text in heads))] if any(heads) else []
    for number, row in enumerate(rows):
        cells = [element("td", text, class_="n" if column < 2 else "mono")
                 for column, text in enumerate(row)]
        name = classes[number] if classes else ""
        lines.append(element("tr", *cells, **({"class_": name} if name else {})))
    return element("table", *lines) if rows else Markup("")
