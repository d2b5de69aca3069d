"""The JSON report keeps the contract that crashlib/report.schema.json publishes."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest

import crash as program
from crash_records import build_victim
from crashlib import report as report_module
from crashlib.evidence import Evidence
from crashlib.record import load
from crashlib.report import make_report
from crashlib.symbols import Symbols
from system_records import busy_system
from test_crash_explain import SCENARIOS

SCHEMA = json.loads(Path(report_module.__file__).with_name("report.schema.json").read_text())
MAKERS = [busy_system, *(row[0] for row in SCENARIOS)]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build_victim(tmp_path_factory.mktemp("victim"))


@pytest.fixture(scope="module")
def strict():
    """The same schema, but a field that it does not name is an error."""
    schema = copy.deepcopy(SCHEMA)
    for part in (schema, *schema["$defs"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
    return jsonschema.Draft202012Validator(schema)


def body_of(elf, make):
    record, = load(make(elf).make())
    report = make_report(Evidence(record, Symbols(elf, True, "")))
    return json.loads(json.dumps(report.as_json()))


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_no_field_is_required_and_none_forbidden():
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    assert not any("required" in part or "additionalProperties" in part for part in parts)
    jsonschema.validate({"a field of a later version": 1}, SCHEMA)


@pytest.mark.parametrize("make", MAKERS, ids=[make.__name__ for make in MAKERS])
def test_every_report_keeps_to_it_and_has_no_field_that_it_does_not_name(elf, strict, make):
    strict.validate(body_of(elf, make))


def test_every_field_of_the_schema_is_in_some_report(elf):
    body = body_of(elf, busy_system)
    assert set(SCHEMA["properties"]) == set(body)
    for name, key in (("ThreadPart", "threads"), ("CpuPart", "cpus"), ("LockPart", "locks"),
                      ("EventPart", "events"), ("Frame", "frames"), ("MemoryPart", "memory")):
        assert set(SCHEMA["$defs"][name]["properties"]) == set(body[key][0]), name


def test_an_address_that_is_no_hex_string_is_refused(elf):
    body = body_of(elf, busy_system)
    body["frames"][0]["pc"] = 42
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, SCHEMA)


def test_a_damaged_record_keeps_to_it_too(elf, strict, tmp_path, capsys):
    data = busy_system(elf).make()
    for keep in (130, 400, 2000, len(data) - 200):
        path = tmp_path / "cut"
        path.write_bytes(data[:keep])
        if program.main(["report", "--json", str(path), "--elf", str(elf.path)]) == 1:
            continue
        strict.validate(json.loads(capsys.readouterr().out))
