"""test_memory.py - any address and any length: read and written, or refused with an error."""

from __future__ import annotations

import pytest
from elftools.elf.elffile import ELFFile

from debugger import Debugger, GdbError
from packets import Line

PAGE = 4096
NON_CANONICAL = 0x800000000000
UNMAPPED = {
    "page 0": 0,
    "the lower half": 0x70000000,
    "the end of the lower half": NON_CANONICAL - 8,
    "no canonical address": NON_CANONICAL,
    "the last address that is not canonical": 0xffff7ffffffffff8,
    "beyond the direct map": 0xffffff0000000000,
    "before the image": 0xffffffff80000000,
    "the last page": 0xfffffffffffff000,
}


def read(line: Line, address: int, length: int) -> bytes:
    reply = line.request(f"m{address:x},{length:x}")
    assert reply[0] != "E", f"{address:#x} cannot be read: {reply}"
    return bytes.fromhex(reply)


@pytest.mark.parametrize("address", UNMAPPED.values(), ids=UNMAPPED)
def test_an_unreadable_address_is_an_error_reply(line, address):
    line.request("qSupported:binary-upload+")
    assert line.request(f"m{address:x},8")[0] == "E"
    assert line.request(f"x{address:x},8")[0] == "E"
    assert line.request("qC") == "QC1"


@pytest.mark.parametrize("address", UNMAPPED.values(), ids=UNMAPPED)
def test_an_unwritable_address_is_an_error_reply(line, address):
    assert line.request(f"M{address:x},2:1234")[0] == "E"
    assert line.request(f"X{address:x},2:ab")[0] == "E"
    assert line.request("qC") == "QC1"


def test_a_guard_page_is_an_error_reply(line, symbols):
    assert line.request(f"m{symbols['boot_stack'] - 8:x},8")[0] == "E"
    assert len(read(line, symbols["boot_stack"], 8)) == 8


@pytest.mark.parametrize("before", [1, 7, 100, 300, 2000])
def test_a_partly_readable_range_gives_its_readable_prefix(line, symbols, before):
    end = symbols["boot_stack"] - PAGE  # the guard page
    assert len(read(line, end - before, before + 64)) == before


def test_a_range_stops_at_the_end_of_the_address_space(line):
    assert line.request(f"m{2**64 - 4:x},8")[0] == "E"
    assert line.request(f"mffffffffffffffff,{2**64 - 1:x}")[0] == "E"


def test_what_is_written_partly_is_an_error_reply(line, symbols):
    end = symbols["boot_stack"] - PAGE
    assert line.request(f"M{end - 4:x},8:{'00' * 8}")[0] == "E"


def test_as_much_as_fits_a_packet_is_read_at_once(line, symbols, kernel_elf):
    with kernel_elf.open("rb") as file:
        text = ELFFile(file).get_section_by_name(".text").data()
    data = read(line, symbols["__text_start"], 0x7fe)
    assert data == text[:0x7fe]


@pytest.mark.parametrize("length", [0x1000, 0x8000, 0xffffffff, 2**64 - 1])
def test_a_read_of_more_than_fits_a_packet_gives_what_fits(line, symbols, length):
    reply = line.request(f"m{symbols['__text_start']:x},{length:x}")
    assert 4000 < len(reply) <= 4096
    assert line.request("qC") == "QC1"


def test_4_kib_of_memory_are_what_the_elf_file_says(gdb_kernel, tmp_path, symbols, kernel_elf):
    start = symbols["__text_start"]
    gdb_kernel(f"dump binary memory {tmp_path}/text {start:#x} {start + PAGE:#x}")
    with kernel_elf.open("rb") as file:
        text = ELFFile(file).get_section_by_name(".text").data()
    assert (tmp_path / "text").read_bytes() == text[:PAGE]


def test_addresses_all_over_the_address_space_get_a_proper_reply(line):
    line.request("QStartNoAckMode")
    line.acknowledges = False
    addresses = [n * 0x200000000021b35 % (1 << 64) for n in range(128)]
    addresses += [0xffffffff80000000 + n * 0x40000 for n in range(128)]
    replies = {address: line.request(f"m{address:x},10") for address in addresses}
    assert {hex(address): reply for address, reply in replies.items()
            if not (reply[0] == "E" or len(reply) in range(2, 33, 2))} == {}
    assert line.request("qC") == "QC1"


@pytest.mark.parametrize("name", ["heartbeat", "heartbeat_run", "kernel_main", "provocations"])
def test_memory_is_written_in_data_text_and_constants(line, symbols, name):
    address = symbols[name]
    old = read(line, address, 16)
    new = bytes(byte ^ 0xff for byte in old)
    assert line.request(f"M{address:x},10:{new.hex()}") == "OK"
    assert read(line, address, 16) == new
    assert line.request(f"M{address:x},10:{old.hex()}") == "OK"
    assert read(line, address, 16) == old


def test_binary_data_is_written_as_it_is(line, symbols):
    data = bytes(range(256))
    escaped = b"".join(b"}" + bytes([byte ^ 0x20]) if byte in b"#$}*" else bytes([byte])
                       for byte in data)
    address = symbols["received"] & -PAGE
    assert line.request(b"X%x,%x:" % (address, len(data)) + escaped) == "OK"
    assert read(line, address, len(data)) == data


def test_a_write_across_a_page_boundary_of_the_text_reaches_both_pages(line, symbols):
    boundary = (symbols["__text_start"] + PAGE) & -PAGE
    old = read(line, boundary - 4, 8)
    assert line.request(f"M{boundary - 4:x},8:0102030405060708") == "OK"
    assert read(line, boundary - 4, 8) == bytes(range(1, 9))
    assert line.request(f"M{boundary - 4:x},8:{old.hex()}") == "OK"


def test_gdb_says_what_cannot_be_accessed(gdb_kernel: Debugger):
    with pytest.raises(GdbError, match="Cannot access memory at address 0x10"):
        gdb_kernel("x/2xg 0x10")


def test_gdb_shows_structures_and_strings(gdb_main: Debugger):
    assert gdb_main.evaluate("parcel").startswith("{number = 7, weight = 2.5, addressee = 0x")
    assert '"Ada"}' in gdb_main.evaluate("parcel")
    assert gdb_main.evaluate("greeting") == '"greetings from read-only memory"'
    assert gdb_main.evaluate("values") == "{10, 20, 30, 40, 50, 60, 70, 80}"


def test_gdb_writes_variables_that_the_program_then_uses(gdb_main: Debugger):
    gdb_main("set var values[0] = 1000")
    gdb_main("set var parcel.weight = 0.125")
    gdb_main("break add")
    gdb_main("break scale")
    gdb_main.resume()
    assert gdb_main.evaluate("a") == "1000"
    gdb_main.resume()
    assert gdb_main.evaluate("x") == "0.125"


def test_gdb_finds_bytes_in_memory(gdb_main: Debugger):
    found = gdb_main("find &values[0], +sizeof(values), 50L")
    assert "<values+32>" in found


def test_gdb_restores_memory_from_a_file(gdb_main: Debugger, tmp_path):
    (tmp_path / "values").write_bytes((99).to_bytes(8, "little") * 2)
    gdb_main(f"restore {tmp_path}/values binary &values[6]")
    assert gdb_main.evaluate("values") == "{10, 20, 30, 40, 50, 60, 99, 99}"
