"""test_crash_sinks.py - a record in memory, on a disk, on the console: each is there, each is true,
and none needs another."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from crashes import CRASHES, STATUS
from crashlib.crc32c import crc32c
from crashlib.payloads import Captured, UnitFlags
from crashlib.record import Record, load
from monitor import Monitor
from programs import KERNEL_BASE, run
from test_records import CRASH

SURVIVING, SURVIVING_BYTES = 16 << 20, 1 << 20  # where the kernel keeps records over resets
LINE_BUDGET = 24 << 10
IMAGES = 100  # of a machine that crashes again and again, until one shows another record
FIRST_BUDGET, FIRST_SECTIONS = 4 << 10, 5
NO_DISK_YET = [name for name, crash in CRASHES.items() if crash.early]


def read(path: Path) -> list[Record]:
    """A disk is mostly empty: its records are in the first part."""
    with path.open("rb") as file:
        return load(file.read(8 << 20))


def only(path: Path) -> Record:
    [record] = read(path)
    return record


# ---- Every crash, every sink ----

@pytest.mark.parametrize("name", [name for name in CRASHES if CRASHES[name].sent_again])
def test_memory_keeps_the_record_over_a_reset_to_the_byte(crash_copies, name):
    copies = crash_copies(name)
    first, again = only(copies.log), only(copies.again)
    assert again.complete and again.problems == []
    assert (again.record_id, again.extract()) == (first.record_id, first.extract())


@pytest.mark.parametrize("name", [name for name in CRASHES if name not in NO_DISK_YET])
def test_the_disk_has_the_same_crash_with_memory(crash_copies, name):
    copies = crash_copies(name)
    line, disk = only(copies.log), read(copies.disk)[0]
    assert disk.complete and disk.problems == [] and disk.provenance.offset % 512 == 0
    assert (disk.record_id, disk.cause.pc, disk.registers) == \
        (line.record_id, line.cause.pc, line.registers)
    assert sum(len(data) for _, data in disk.memory) > 100_000


@pytest.mark.parametrize("name", CRASHES)
def test_the_record_costs_the_line_no_more_than_it_may(crash_copies, name):
    lines = re.findall(rb"^~.*\r?\n", crash_copies(name).log.read_bytes(), re.MULTILINE)
    record = only(crash_copies(name).log)
    end = record.sections[FIRST_SECTIONS - 1]
    first = lines[:2 + (end.offset + end.length) // 96]
    assert sum(map(len, lines)) <= LINE_BUDGET
    assert sum(map(len, first)) <= FIRST_BUDGET


def test_both_copies_on_one_log_are_one_record(crash_copies, tmp_path):
    copies = crash_copies("divide")
    (tmp_path / "log").write_bytes(copies.log.read_bytes() + copies.again.read_bytes())
    assert len(read(tmp_path / "log")) == 1


def test_what_a_damaged_console_has_lost_comes_from_the_copy_sent_again(crash_copies, tmp_path):
    copies = crash_copies("divide")
    damaged = re.sub(rb"(?m)^~.*:D:000[3-6].*\n", b"", copies.log.read_bytes())
    (tmp_path / "log").write_bytes(damaged)
    assert not only(tmp_path / "log").complete
    (tmp_path / "log").write_bytes(damaged + copies.again.read_bytes())
    assert only(tmp_path / "log").complete


def test_crash_py_reads_the_disk(crash_copies):
    said = run([CRASH, "report", str(crash_copies("null-read").disk)])
    assert said.startswith("null pointer: read at offset 0x18, in next_parcel")


# ---- Choosing ----

@pytest.mark.parametrize("sinks", ["ram", "disk", "serial", "ram,disk"])
def test_a_record_goes_where_the_command_line_says(boot, tmp_path, sinks):
    guest = boot(f"crashdump={sinks} run=provoke:divide", "--disk", str(tmp_path / "disk"))
    assert guest.wait() == STATUS
    told = re.search(r"\*\*\* crash record:(.*)", guest.said)[1]
    assert re.findall(r" (\w+) written;", told) == sinks.split(",")
    assert len(load(guest.said.encode())) == ("serial" in sinks)
    assert len(read(tmp_path / "disk")) == ("disk" in sinks)


def test_a_word_that_is_no_sink_is_complained_about(boot):
    guest = boot("crashdump=tape run=provoke:list")
    assert guest.wait() == 0
    assert "crashdump=tape" in guest.said


# ---- Disks ----

def test_records_on_a_disk_follow_each_other(boot, tmp_path):
    for name in ("divide", "panic"):
        guest = boot(f"run=provoke:{name}", "--disk", str(tmp_path / "disk"))
        assert guest.wait() == STATUS
    assert [record.cause.name for record in read(tmp_path / "disk")] == ["divide error", "panic"]
    assert "the disk holds 1 records" in guest.said


def test_a_disk_with_something_else_on_it_is_left_alone(boot, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(b"somebody's file system".ljust(1 << 20, b"\0"))
    guest = boot("run=provoke:divide", "--disk", str(disk))
    assert guest.wait() == STATUS
    assert "neither blank nor labelled" in guest.said
    assert disk.read_bytes() == b"somebody's file system".ljust(1 << 20, b"\0")
    assert load(guest.said.encode())[0].complete


def test_a_disk_may_take_longer_than_what_stands_still(boot, tmp_path):
    disk = tmp_path / "disk"
    guest = boot("run=provoke:null-read gdb=off", "--disk", str(disk), "--", "-set",
                 "drive.disk.throttling.bps-write=20000")
    assert guest.wait() == STATUS
    assert "disk written;" in guest.said
    assert only(disk).complete


def test_a_disk_that_is_too_small_costs_nothing_but_its_copy(boot, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(12 * 512))
    guest = boot("run=provoke:divide", "--disk", str(disk))
    assert guest.wait() == STATUS
    assert "disk failed;" in guest.said and load(guest.said.encode())[0].complete


# ---- Memory ----

def saved(monitor: Monitor, path: Path) -> list[Record]:
    monitor.save_physical_memory(SURVIVING, SURVIVING_BYTES, path)
    return [record for record in load(path) if record.complete]


def test_the_first_crash_of_a_loop_stays_until_it_was_sent(boot, tmp_path):
    """Without a console nothing is ever sent."""
    boot("console=off oncrash=reboot run=provoke:divide", *Monitor.options(tmp_path / "qmp"))
    monitor = Monitor.when_ready(tmp_path / "qmp")
    seen: list[set[str]] = []
    while len(set().union(*seen)) <= 2:  # until another has come and gone
        assert len(seen) < IMAGES, "no other record comes"
        monitor.wait_for_event("RESET", 3)  # they may have been long ago
        seen.append({record.boot_id for record in saved(monitor, tmp_path / "image")})
    monitor.close()
    assert len(set.intersection(*seen)) == 1, "one record is in all images"


def test_a_crash_before_anything_is_set_up_is_in_memory(boot, tmp_path):
    """And stays there, however often the machine fails before it can send it."""
    guest = boot("oncrash=reboot run=provoke:early", *Monitor.options(tmp_path / "qmp"))
    said = guest.wait_for("to decode this console's log", 3)
    monitor = Monitor(tmp_path / "qmp")
    records = saved(monitor, tmp_path / "image")
    monitor.close()
    first = re.search(r"~(\w{8}):B:", said)[1]
    assert f"{first}" in [f"{record.record_id:08x}" for record in records]
    assert {record.cause.name for record in records} == {"divide error"}


def test_no_record_is_found_in_memory_at_power_on(boot):
    guest = boot("run=provoke:list")
    assert guest.wait() == 0
    assert "memory has kept" not in guest.said


def test_a_record_is_sent_again_once(boot):
    """By GRUB, with the firmware between."""
    from guest import BUILD

    guest = boot("oncrash=reboot run=provoke:divide", "--iso", str(BUILD / "kernel.iso"))
    said = guest.wait_for("was sent again", 2)
    ids = re.findall(r"has kept record (\w+)", said)
    assert len(ids) == len(set(ids)) == 2


# ---- The truth of what was captured ----

# What goes on changing while the record is written, and after it.
CHANGING = ("record", "sinks", "guard", "crash", "stacks", "disk", "lines", "table", "values",
            "bytes", "guards", "kept", "in_nmi", "fault_addresses", "panics", "debugger", "apic",
            "paging", "log", "console", "first_cpu", "rings", "counts", "stop", "held", "cpus",
            "flush")


@pytest.fixture(scope="module")
def changing(kernel_elf) -> list[tuple[int, int]]:
    with kernel_elf.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        return [(s["st_value"], s["st_value"] + s["st_size"]) for s in symbols
                if s["st_info"]["type"] == "STT_OBJECT" and s.name.split(".")[0] in CHANGING]


def test_captured_bytes_are_those_of_the_machine(boot, kernel_elf, changing, tmp_path):
    disk, core = tmp_path / "disk", tmp_path / "core"
    guest = boot("oncrash=halt run=provoke:stack-overflow", "--disk", str(disk), "--memory", "32",
                 *Monitor.options(tmp_path / "qmp"))
    guest.wait_for("to decode this console's log")
    monitor = Monitor(tmp_path / "qmp")
    monitor.dump_guest_memory(core)
    monitor.close()
    with core.open("rb") as file:
        memory = {s["p_paddr"]: s.data() for s in ELFFile(file).iter_segments("PT_LOAD")}
    record, compared = only(disk), 0
    for address, data in record.memory:
        physical = address - KERNEL_BASE
        if physical < 0:
            continue  # not in the image
        start = max(base for base in memory if base <= physical)
        real = memory[start][physical - start:physical - start + len(data)]
        for offset in range(0, len(data), 8):
            if any(low <= address + offset < high for low, high in changing):
                continue
            assert data[offset:offset + 8] == real[offset:offset + 8], f"{address + offset:#x}"
            compared += 8
    assert compared > 50_000


def text_pages(record: Record) -> list[tuple[int, int, int]]:
    payload = record.section("TEXT").payload
    if isinstance(payload, bytes):
        return list(struct.iter_unpack("<QII", payload))
    return [(page.address, page.length, page.crc) for page in payload]


def linked_text(kernel_elf: Path) -> tuple[int, bytes]:
    with kernel_elf.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".text")
        return section["sh_addr"], section.data()


def test_hashes_of_the_code_are_those_of_what_was_linked(crash_copies, kernel_elf):
    start, code = linked_text(kernel_elf)
    pages = text_pages(only(crash_copies("divide").log))
    assert sum(length for _, length, _ in pages) == len(code)
    for address, length, crc in pages:
        assert crc32c(code[address - start:address - start + length]) == crc, hex(address)


def test_planted_breakpoints_do_not_change_the_hashes(waiting, attach, kernel_elf):
    guest = waiting("run=provoke:divide")
    gdb = attach(guest)
    gdb("break list_names")
    gdb.resume()  # until the fault
    gdb("continue&")
    guest.wait_for("to decode this console's log")
    start, code = linked_text(kernel_elf)
    for address, length, crc in text_pages(load(guest.said.encode())[0]):
        assert crc32c(code[address - start:address - start + length]) == crc, hex(address)


# ---- What GDB can print ----

def printed(path: Path, expression: str) -> str:
    return run([CRASH, "gdb", str(path), "--", "-batch", "-ex", f"output {expression}"])


def test_a_registered_region_can_be_printed_from_the_lines_record(crash_copies):
    assert printed(crash_copies("divide").log, "office.parcel_count").endswith("0")


def test_any_variable_can_be_printed_from_the_disks_record(crash_copies):
    said = printed(crash_copies("divide").disk, "(const char *)command_line.text")
    assert said.endswith('"run=provoke:divide"'), said


# ---- Secrets ----

@pytest.mark.parametrize("scope", ["data", "all"])
def test_secret_memory_is_listed_and_stored_nowhere(boot, tmp_path, scope):
    secret = bytes(ord("A") + index * 7 % 26 for index in range(63))
    guest = boot(f"crashscope={scope} run=provoke:secret", "--memory", "24",
                 "--disk", str(tmp_path / "disk"))
    assert guest.wait() == STATUS
    record = only(tmp_path / "disk")
    [safe] = [entry for entry in record.maps if entry.name == "safe"]
    assert safe.captured == Captured.SECRET
    assert any(address == safe.start for address, _ in record.holes)
    stored = b"\0".join(data for _, data in record.memory)
    assert len(stored) > (200_000 if scope == "data" else 1_000_000)
    assert secret[:8] not in stored and secret[20:28] not in stored


# ---- Who else is told ----

def test_pvpanic_is_told(boot, tmp_path):
    guest = boot("run=provoke:divide oncrash=halt", *Monitor.options(tmp_path / "qmp"), "-device",
                 "pvpanic", "-no-shutdown", "-S")
    monitor = Monitor.when_ready(tmp_path / "qmp")
    monitor.go_on()
    monitor.wait_for_event("GUEST_PANICKED")
    monitor.close()
    assert load(guest.said.encode())[0].complete


def test_a_real_machine_check_leaves_a_record(boot, tmp_path):
    guest = boot("run=heartbeat", *Monitor.options(tmp_path / "qmp"))
    guest.wait_for("heartbeat 1")
    monitor = Monitor(tmp_path / "qmp")
    monitor.inject_machine_check()
    assert guest.wait() == STATUS
    monitor.close()
    record = load(guest.said.encode())[0]
    assert record.complete and record.cause.name == "machine check"
