"""problems.py - what of a record is lost, damaged or not understood, in sentences for people.

Judges nothing itself.  What the kernel chose to leave out is not its subject: the flags say that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crashlib.lines import FORMAT_VERSION, Transmission
from crashlib.payloads import FORMAT_MAJOR, SectionFlags
from crashlib.sections import UNKNOWN_TAG, Section, Status

if TYPE_CHECKING:
    from crashlib.record import Record

# The magic as other transfers leave it.
TRANSFERS = (
    (b"TRAP\xf1\n\x1a", "CR LF became LF"),
    (b"TRAP\xf1\r\r\n\x1a", "LF became CR LF"),
    (b"TRAPq\r\n\x1a", "the eighth bit was cleared"),
    (b"TRAP\xc3\xb1\r\n\x1a", "bytes were re-encoded as UTF-8"),
)

def of_transfer(data: bytes) -> list[str]:
    return [f"the record was damaged by a text-mode transfer: {what}"
            for magic, what in TRANSFERS if magic in data][:1]


def of_lines(part: Transmission) -> list[str]:
    found = []
    if part.version > FORMAT_VERSION:
        found.append(f"the lines have format version {part.version}; this reader knows "
                     f"{FORMAT_VERSION}")
    if part.bad:
        found.append(f"{_count(part.bad, 'line was', 'lines were')} damaged and left out")
    if part.contradicted:
        found.append(f"{_count(len(part.contradicted), 'line was', 'lines were')} sent with "
                     "different contents under the same record id: neither is used")
    if len(part.lengths) > 1:
        found.append("the lines disagree about the record's length")
    return found


def of_record(record: Record) -> list[str]:
    header = record.header
    if header is not None and header.major > FORMAT_MAJOR:
        return [f"the record has format version {header.major}.{header.minor}; this reader knows "
                f"{FORMAT_MAJOR}: a newer one is needed"]
    found = []
    if header is None:
        known = "build_id" in record.annotations
        found.append("the record's header is lost: "
                     + ("its annotations tell which kernel it is from" if known
                        else "which kernel it is from is not known"))
    if record.provenance.bytes_missing:
        found.append(f"{_count(record.provenance.bytes_missing, 'byte is', 'bytes are')} missing")
    for section in record.sections:
        found += of_section(section)
    return found + _of_end(record)


def of_section(section: Section) -> list[str]:
    if section.tag == UNKNOWN_TAG:
        return [f"{section.length} bytes at offset {section.offset} belong to sections whose "
                "headers are lost or damaged"]
    name = f"section {section.tag}"
    if section.status is Status.DAMAGED:
        return [f"{name} is damaged: its checksum does not hold, and nothing of it is used"]
    if section.status is Status.MISSING:
        return [f"{name} is missing"]
    if section.status is Status.INCOMPLETE:
        use = "the rest is used" if section.payload is not None else "nothing of it is used"
        return [f"{name} lacks {section.lost_bytes} of {section.header.stored_length} bytes: {use}"]
    if section.payload is None and section.header.flags & SectionFlags.COMPRESSED:
        return [f"{name} is compressed in a way that this reader does not know"]
    return []


def _of_end(record: Record) -> list[str]:
    if record.end is None:
        return ["the record has no end: the kernel died while writing it, or the rest is lost"]
    if not record.complete and not any(section.status is not Status.GOOD
                                       for section in record.sections) and record.header:
        return ["the record's sections are not those that its end tells of"]
    return []


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
