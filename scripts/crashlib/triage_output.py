"""triage_output.py - what triage found: a table for people, JSON lines and SQLite for programs.

The SQLite file keeps what earlier runs put there; a crash that it has already is updated.

    crashes    one row for each crash; the columns are those of triage.Crash, `functions` and
               `problems` as JSON arrays, `complete` 0 or 1; `crash` is the key
    groups     a view: signature, kind, functions, count, first_seen, last_seen, and an example's
               cause, input and number; weak signatures are no groups

JSON lines are the crashes, an object on each line with the same names.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import sys
from pathlib import Path

from crashlib.text_lines import WIDTH, printable
from crashlib.triage import Crash, Group

SCHEMA_VERSION = 1  # SQLite's user_version
WEAK_SHOWN = 10

COLUMNS = {
    "crash": "TEXT PRIMARY KEY", "record_id": "TEXT", "boot_id": "TEXT", "sequence": "INTEGER",
    "build_id": "TEXT", "signature": "TEXT", "weak": "TEXT", "kind": "TEXT", "functions": "TEXT",
    "rule": "TEXT", "cause": "TEXT", "file_line": "TEXT", "cpu": "INTEGER",
    "uptime_us": "INTEGER", "seen": "TEXT", "input": "TEXT", "number": "INTEGER",
    "complete": "INTEGER", "problems": "TEXT", "copies": "INTEGER"}
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS crashes ({", ".join(map(" ".join, COLUMNS.items()))});
CREATE INDEX IF NOT EXISTS by_signature ON crashes (signature);
CREATE VIEW IF NOT EXISTS groups AS
    SELECT signature, kind, functions, count(*) AS count, min(seen) AS first_seen,
           max(seen) AS last_seen, cause, input, number
    FROM crashes WHERE weak = '' GROUP BY signature ORDER BY count DESC;
PRAGMA user_version = {SCHEMA_VERSION};
"""
# A copy that knows less does not replace one that knows more.
INSERT = f"""
INSERT INTO crashes VALUES ({", ".join(":" + name for name in COLUMNS)})
ON CONFLICT (crash) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "crash")}
    WHERE excluded.complete >= crashes.complete
"""
# A copy that lost its header does not know its boot; the id tells that it is a copy.
DROP_HEADERLESS = """
DELETE FROM crashes WHERE crash = record_id AND EXISTS (
    SELECT 1 FROM crashes AS other
    WHERE other.record_id = crashes.record_id AND other.crash != crashes.crash)
"""


class NotWritten(Exception):
    """A result could not be stored; the text is one line."""


def write_json_lines(path: Path, crashes: list[Crash]) -> None:
    text = "".join(json.dumps(dataclasses.asdict(crash)) + "\n" for crash in crashes)
    if str(path) == "-":
        sys.stdout.write(text)
    else:
        path.write_text(text, encoding="utf-8")


def write_sqlite(path: Path, crashes: list[Crash]) -> None:
    """All of them or, if anything fails, none."""
    try:
        database = sqlite3.connect(path)
        try:
            version, = database.execute("PRAGMA user_version").fetchone()
            tables, = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version != SCHEMA_VERSION and tables:
                raise NotWritten(f"{path}: an SQLite file of something else: name a new one")
            database.executescript(SCHEMA)
            with database:
                database.executemany(INSERT, map(_row, crashes))
                database.execute(DROP_HEADERLESS)
        finally:
            database.close()
    except sqlite3.Error as error:
        raise NotWritten(f"{path}: {error}") from error


def _row(crash: Crash) -> dict[str, object]:
    row = dataclasses.asdict(crash)
    # SQLite's integers have 63 bits and a sign; a damaged record's may have 64.
    return {name: json.dumps(value) if isinstance(value, list) else
            min(value, (1 << 63) - 1) if isinstance(value, int) else value
            for name, value in row.items()}


def print_groups(groups: list[Group], files: int, empty: int, colour: bool) -> None:
    from rich.console import Console  # late: it costs a tenth of a second
    from rich.table import Table
    from rich.text import Text

    console = Console(width=WIDTH, highlight=False, color_system="auto" if colour else None,
                      force_terminal=colour, emoji=False)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    table.add_column("COUNT", justify="right", no_wrap=True)
    table.add_column("SEEN (UTC)", no_wrap=True)
    table.add_column("WHAT", overflow="fold", ratio=1)
    strong = [group for group in groups if not group.example.weak]
    weak = groups[len(strong):]
    for group in strong + weak[:WEAK_SHOWN]:
        table.add_row(str(len(group.crashes)), _seen(group), Text.assemble(*_what(group)))
    if groups:
        with console.capture() as captured:
            console.print(table)
        print("\n".join(line.rstrip() for line in captured.get().splitlines()))
    if len(weak) > WEAK_SHOWN:
        console.print(f"... and {len(weak) - WEAK_SHOWN} more that are weak: --jsonl has them all")
    console.print(Text(_summary(groups, len(strong), files, empty)))


def _seen(group: Group) -> str:
    first, last = (crash.seen[:16].replace("T", " ")
                   for crash in (group.crashes[0], group.crashes[-1]))
    return first if first == last else f"{first}\n{last}"


def _what(group: Group) -> list[tuple[str, str]]:
    crash = group.example
    chain = " < ".join(crash.functions) or "no function is known"
    place = f"{crash.file_line}  " if crash.file_line else ""
    number = f" --record {crash.number}" if crash.number > 1 else ""
    identity = f"weak: {crash.weak}" if crash.weak else crash.signature
    return [(printable(crash.cause), "bold red"), ("\n", ""), (printable(chain), "bold"),
            ("\n", ""), (printable(place), "cyan"), (identity, "yellow" if crash.weak else "dim"),
            (f"\n{printable(crash.input)}{number}", "")]


def _summary(groups: list[Group], strong: int, files: int, empty: int) -> str:
    crashes = sum(len(group.crashes) for group in groups)
    words = f"{_count(crashes, 'crash', 'crashes')} in {_count(files, 'file', 'files')}: "
    words += _count(strong, "signature", "signatures")
    if len(groups) > strong:
        words += f", and {len(groups) - strong} that cannot be compared"
    return words + (f"; {_count(empty, 'file holds', 'files hold')} no record" if empty else "")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
