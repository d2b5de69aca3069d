"""test_serial_lines.py - the console and GDB on whichever UART there is, at its speed; and a
machine that has none."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from crashes import STATUS
from crashlib.record import load
from debugger import Debugger
from monitor import Monitor, wait_for_socket
from packets import Line, packet
from programs import BEATING, WAITING
from test_crash_sinks import read, saved

COM2 = 0x2f8
NO_UART = ["--console", "none", "--gdb", "none"]
TRACE = ["-trace", "serial_update_parameters"]
SPEED_CODES = {0: 0, 9600: 3, 57600: 6}


def spcr(folder: Path, port: int, speed: int, space: int = 1) -> list[str]:
    """QEMU's option for a table that says where the firmware's console is."""
    registers = struct.pack("<4BQ", space, 8, 0, 1, port)
    rest = struct.pack("<2BI6B4s12x", 3, 3, 3, SPEED_CODES[speed], 0, 1, 0, 0, 0, b"\xff" * 4)
    (folder / "spcr").write_bytes(bytes(4) + registers + rest)
    return ["-acpitable", f"sig=SPCR,rev=2,data={folder / 'spcr'}"]


def card(folder: Path, model: str, *chardevs: str) -> list[str]:
    """QEMU's options for a PCI card: its last UART is the socket folder/card."""
    names = [f"chardev{n + 1}" for n in range(len(chardevs))] or ["chardev"]
    ends = [*chardevs[:-1], f"socket,path={folder / 'card'},server=on,wait=off"]
    options = []
    for name, end in zip(names, ends):
        kind, _, rest = end.partition(",")
        options += ["-chardev", f"{kind},id=card-{name},{rest}".rstrip(",")]
    return [*options, "-device", ",".join([model, *(f"{name}=card-{name}" for name in names)])]


# ---- PCI cards ----

# A UART that is its card's only one, one of two, and one beside the console.
CARDS = {
    "only": ("gdb=pci0", ["pci-serial"]),
    "second": ("gdb=pci1", ["pci-serial-2x", "null", ""]),
    "beside": ("gdb=pci1 console=pci0", ["pci-serial-2x", "file,path={folder}/console", ""]),
}


@pytest.mark.parametrize("options, model", CARDS.values(), ids=CARDS)
def test_gdb_stops_the_kernel_over_a_pci_card(boot, kernel_elf, tmp_path, options, model):
    model = [word.format(folder=tmp_path) for word in model]
    boot(f"{options} gdbwait run=heartbeat", "--", *card(tmp_path, *model))
    wait_for_socket(tmp_path / "card")
    debugger = Debugger(kernel_elf)
    try:
        debugger(f"target remote {tmp_path / 'card'}")
        debugger("break take_sample")
        assert debugger.resume()["func"] == "take_sample"
    finally:
        debugger.end()
    if "console=" in options:
        assert WAITING in (tmp_path / "console").read_text()


# On the second, the firmware's idea of the card's interrupt is not the IOAPIC's.
@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_a_byte_on_a_pci_card_breaks_in(boot, tmp_path, machine):
    guest = boot("gdb=pci0 run=heartbeat", "--", "-machine", machine,
                 *card(tmp_path, "pci-serial"))
    guest.wait_for(BEATING)
    line = Line(tmp_path / "card")
    assert line.request("?").startswith("T02")
    line.close()


def test_a_card_that_is_not_there_is_said(boot):
    guest = boot("gdb=pci0")
    assert "there is no UART at pci0" in guest.wait_for(BEATING)


# ---- Names and speeds ----

@pytest.mark.parametrize("option, said", [
    ("console=com1,57600", "baudrate=57600 parity='N' data=8"),
    ("console=0x3f8,9600", "baudrate=9600 parity='N' data=8"),
    ("gdb=0x2f8,19200", "baudrate=19200 parity='N' data=8"),
    ("gdb=com2,2400", "baudrate=2400 parity='N' data=8"),
])
def test_a_line_has_the_speed_that_it_is_given(boot, option, said):
    guest = boot(f"run=provoke:divide {option}", "--", *TRACE)
    assert guest.wait() == STATUS
    assert said in guest.said and "is ignored" not in guest.said


@pytest.mark.parametrize("value", ["com1,", "com1,0", "com1,57601", "com1,9600n8", "com5", "pcix",
                                   "0xfffa"])
def test_what_is_no_line_is_ignored_and_named(boot, value):
    guest = boot(f"console={value} run=provoke:list")
    assert guest.wait() == 0
    assert f"console={value} is ignored: say console=com1..com4|" in guest.said
    assert "stack-overflow" in guest.said


def test_two_names_of_one_line_are_one_line(boot):
    guest = boot("gdb=0x3f8 run=provoke:list")
    assert guest.wait() == 0
    assert "gdb: on 0x3f8, with the console" in guest.said


# ---- The firmware's own console ----

def test_the_console_is_where_the_firmware_has_its_own(boot, tmp_path):
    guest = boot("gdb=com1 run=provoke:null-read", "--console", "null", "--gdb",
                 f"file:{tmp_path / 'com2'}", "--", *spcr(tmp_path, COM2, 57600), *TRACE)
    assert guest.wait() == STATUS
    assert load(tmp_path / "com2")[0].complete
    assert "baudrate=57600 parity='N' data=8" in guest.said


@pytest.mark.parametrize("place", [(0x2e8, 9600, 1), (0xfe000000, 9600, 0)],
                         ids=["nothing is there", "registers in memory"])
def test_a_console_that_the_firmware_only_claims_is_com1(boot, tmp_path, place):
    guest = boot("run=provoke:list", "--", *spcr(tmp_path, *place))
    assert guest.wait() == 0
    assert "stack-overflow" in guest.said


def test_gdb_can_be_where_the_firmware_has_its_console(boot, connect, tmp_path):
    guest = boot("console=com1 gdb=spcr gdbwait", "--", *spcr(tmp_path, COM2, 0))
    guest.wait_for(WAITING)
    assert connect(guest).request("qC") == "QC1"


# ---- No UART; no APIC; no NX ----

def test_without_a_uart_the_disk_has_the_record(boot, tmp_path):
    guest = boot("run=provoke:null-read", *NO_UART, "--disk", str(tmp_path / "disk"))
    assert guest.wait() == STATUS
    assert guest.said == ""
    assert [record.complete for record in read(tmp_path / "disk")] == [True]


def test_without_a_uart_memory_has_the_record(boot, tmp_path):
    boot("oncrash=reboot run=provoke:null-read", *NO_UART, *Monitor.options(tmp_path / "qmp"))
    monitor = Monitor.when_ready(tmp_path / "qmp")
    monitor.wait_for_event("RESET")
    assert [record.complete for record in saved(monitor, tmp_path / "memory")] == [True]
    monitor.close()


def test_without_a_uart_gdbwait_waits_for_nobody(boot):
    assert boot("gdbwait run=provoke:list", *NO_UART).wait() == 0


def test_gdb_has_the_only_uart(boot, connect):
    guest = boot("gdbwait", "--console", "none")
    wait_for_socket(guest.gdb)
    assert connect(guest).request("qC") == "QC1"


LESS = {"no APIC": "max,-apic", "no NX": "qemu64,-nx", "a plain processor": "qemu64"}


@pytest.mark.parametrize("cpu", LESS.values(), ids=LESS)
def test_a_lesser_processor_runs_and_crashes_as_well(boot, cpu):
    guest = boot("run=provoke:null-read", "--", "-cpu", cpu)
    assert guest.wait() == STATUS
    assert load(guest.said.encode())[0].complete
    guest = boot("run=heartbeat", "--", "-cpu", cpu)
    guest.wait_for("heartbeat 2: ")


@pytest.mark.parametrize("cpu", LESS.values(), ids=LESS)
def test_gdb_stops_a_lesser_processor(boot, connect, cpu):
    guest = boot("gdbwait run=heartbeat", "--", "-cpu", cpu)
    guest.wait_for(WAITING)
    assert connect(guest).request("vCont;s:p1.1").startswith("T05")


# ---- A line that cannot interrupt is looked at at each tick ----

def stop_again_and_again(line: Line) -> set[str]:
    stops = {line.request("?")[:3]}
    for _ in range(10):
        line.send(packet("vCont;c:p1.-1"))
        line.send(b"\x03")
        stops.add(line.reply()[:3])
    return stops


def test_ctrl_c_stops_at_a_tick_without_an_apic(boot, connect):
    guest = boot("run=heartbeat", "--", "-cpu", "max,-apic")
    assert "looked at once a tick" in guest.wait_for(BEATING)
    assert stop_again_and_again(connect(guest)) == {"T02"}


def test_ctrl_c_stops_several_processors_at_a_tick(boot, connect, tmp_path):
    """Nobody says which interrupt a UART has at a port of its own."""
    guest = boot("run=heartbeat gdb=0x1e8", "--smp", "3", "--", "-device",
                 "isa-serial,iobase=0x1e8,irq=7,chardev=port", "-chardev",
                 f"socket,id=port,path={tmp_path / 'card'},server=on,wait=off")
    assert "looked at once a tick" in guest.wait_for(BEATING)
    line = Line(tmp_path / "card")
    assert stop_again_and_again(line) == {"T02"}
    line.send(packet("D;1"))
    guest.wait_for("heartbeat 2: ")
    line.close()
