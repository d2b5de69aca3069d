"""selection.py - which record of an input is meant.

Reads inputs, names their records in a line each, and picks one: the one asked for or the likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass

from crashlib.inputs import STANDARD_INPUT, InputRefused, open_input
from crashlib.payloads import RecordFlags, TrapKind, name_of
from crashlib.record import Record, find_records
from crashlib.text_lines import printable

ELF_MAGIC, ELF_TYPE_PROGRAM = b"\x7fELF", 2


class Unusable(Exception):
    """What was asked for cannot be done; the text is the one line that says why."""


@dataclass(frozen=True)
class Choice:
    """A record out of an input."""
    file: str
    record: Record
    number: int  # from 1
    total: int


def read_records(file: str) -> list[Record]:
    name = name_of_input(file)
    try:
        with open_input(file) as data:
            records = find_records(data)
            length, head = len(data), data[:18]
    except InputRefused as error:
        raise Unusable(str(error)) from error
    if records:
        return records
    if head[:4] == ELF_MAGIC and head[16:] == bytes([ELF_TYPE_PROGRAM, 0]):
        raise Unusable(f"{name}: no crash record in it, it is a program: give the console's log, "
                       "and this with --elf")
    raise Unusable(f"{name}: no crash record in its {length} bytes: give the whole log of the "
                   "console, a RAM or disk image, or a raw record")


def choose(file: str, wanted: str | None) -> Choice:
    records = read_records(file)
    if wanted is None:
        index = default_record(records)
    else:
        index = find_record(records, wanted)
        if index is None:
            raise Unusable(f"{name_of_input(file)}: no record {wanted}; `crash.py list` shows "
                           f"all {len(records)}")
    return Choice(file, records[index], index + 1, len(records))


def default_record(records: list[Record]) -> int:
    """The last one, by its number if it is of the same boot as the last in the input: in memory
    they lie in any order.  If that is the minimal record of a writer that failed, the full one of
    the same boot before it, whose end is lost but which holds more."""
    boot = records[-1].boot_id
    last = max((index for index, record in enumerate(records) if record.boot_id == boot),
               key=lambda index: (records[index].sequence or 0, index))
    if not is_minimal(records[last]):
        return last
    same = [index for index, record in enumerate(records)
            if record.boot_id == records[last].boot_id and not is_minimal(record)
            and record.cause is not None and record.registers is not None]
    return same[-1] if same else last


def is_minimal(record: Record) -> bool:
    return record.header is not None and bool(record.header.flags & RecordFlags.MINIMAL)


def find_record(records: list[Record], wanted: str) -> int | None:
    for index, record in enumerate(records):
        if record.record_id is not None and f"{record.record_id:08x}" == wanted.lower():
            return index
    if wanted.isdecimal() and 1 <= int(wanted) <= len(records):
        return int(wanted) - 1
    return None


def list_line(number: int, record: Record) -> str:
    cause = record.cause
    identity = "--------" if record.record_id is None else f"{record.record_id:08x}"
    boot = (record.boot_id or "?")[:8]
    what = "cause lost"
    if cause is not None:
        name = cause.name or name_of(TrapKind, cause.kind)
        what = f"{cause.uptime_us / 1e6:.3f} s  {name} at {cause.pc:#x}"
    state = "" if record.complete else "  incomplete"
    state += "  minimal" if is_minimal(record) else ""
    which = f"{number:3d}  {identity}  boot {boot} #{record.sequence or '?'}"
    return printable(f"{which}  {what}{state}")


def name_of_input(file: str) -> str:
    return "standard input" if file == STANDARD_INPUT else file
