"""test_golden.py - old records still decode, to the very same facts.

Each tests/golden/NAME.log is a console log of a kernel of its time, kept for ever; NAME.json says
what is in its record.  `test_golden.py NAME.log` prints the facts of a new one.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from crashlib.record import Record, load  # noqa: E402

LOGS = sorted((ROOT / "tests/golden").glob("*.log"))


def plain(value: Any) -> Any:
    """As JSON has it: bytes in hex, structs as objects."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name))
                for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


def facts(record: Record) -> dict[str, Any]:
    memory = b"".join(data for _, data in record.memory)
    return {
        "complete": record.complete, "problems": record.problems,
        "record_id": record.record_id, "boot_id": record.boot_id,
        "sequence": record.sequence, "build_id": record.build_id, "machine": record.machine,
        "sections": [section.tag for section in record.sections],
        "cause": plain(record.cause), "registers": plain(record.registers),
        "code": plain(record.code), "walks": plain(record.walks), "frames": plain(record.frames),
        "memory": [[address, len(data)] for address, data in record.memory],
        "memory_crc32": zlib.crc32(memory), "holes": plain(record.holes),
        "log": plain(record.log), "maps": plain(record.maps), "nested": plain(record.nested),
        "annotations": record.annotations,
    }


def agrees(seen: Any, kept: Any) -> bool:
    """Is all that was kept still so?  What readers learn later may come on top."""
    if isinstance(kept, dict):
        return all(key in seen and agrees(seen[key], value) for key, value in kept.items())
    if isinstance(kept, list):
        return len(seen) == len(kept) and all(map(agrees, seen, kept))
    return seen == kept


def test_there_are_golden_records():
    assert LOGS


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_a_golden_record_decodes_to_the_same_facts(log: Path):
    (record,) = load(log)
    seen, kept = facts(record), json.loads(log.with_suffix(".json").read_text())
    assert [key for key in kept if not agrees(seen.get(key), kept[key])] == []


if __name__ == "__main__":
    print(json.dumps(facts(load(Path(sys.argv[1]))[0]), indent=1))
