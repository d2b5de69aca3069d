"""test_handshake.py - how a conversation over the debug line begins, packet by packet."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

GDB_13_FEATURES = ("multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;"
                   "exec-events+;vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;"
                   "xmlRegisters=i386")


@pytest.fixture
def features(line) -> dict[str, str]:
    """What the stub offers to GDB 13.1: {"PacketSize": "1000", "swbreak": "+", ...}."""
    reply = line.request(f"qSupported:{GDB_13_FEATURES}")
    return {name: value.lstrip("=") for name, value in
            re.findall(r"([^;=+?-]+)(=[^;]*|[+?-])", reply)}


@pytest.fixture
def description(line) -> ElementTree.Element:
    """The target description, put together from its pieces."""
    text, piece = "", "m"
    while piece.startswith("m"):
        piece = line.request(f"qXfer:features:read:target.xml:{len(text):x},ffb")
        assert piece[0] in "ml", piece
        text += unescape(piece[1:])
    return ElementTree.fromstring(text)


def unescape(text: str) -> str:
    return re.sub(r"(?s)\}(.)", lambda found: chr(ord(found[1]) ^ 0x20), text)


def registers(description: ElementTree.Element, feature: str) -> dict[str, ElementTree.Element]:
    path = f"feature[@name='{feature}']/reg"
    return {register.get("name"): register for register in description.iterfind(path)}


def test_packets_may_have_4096_bytes_or_more(features):
    assert int(features["PacketSize"], 16) >= 4096


@pytest.mark.parametrize("feature", ["QStartNoAckMode", "qXfer:features:read", "vContSupported",
                                     "swbreak", "multiprocess"])
def test_the_stub_offers(features, feature):
    assert features[feature] == "+"


def test_what_gdb_did_not_announce_is_not_used(line):
    line.request("qSupported:xmlRegisters=i386")
    assert line.request("qC") == "QC1"


def test_each_packet_is_acknowledged_until_no_ack_mode(line):
    assert (line.request("QStartNoAckMode"), line.acknowledged) == ("OK", b"+")
    line.acknowledges = False
    assert (line.request("qC"), line.acknowledged) == ("QC1", b"")


def test_vcont_knows_continue_and_step_with_and_without_a_signal(line):
    reply = line.request("vCont?")
    assert {"vCont", "c", "C", "s", "S"} <= set(reply.split(";"))


@pytest.mark.parametrize("packet", ["vMustReplyEmpty", "qWhatever", "y", "QNothing:1", ""])
def test_what_the_stub_does_not_know_gets_the_empty_reply(line, packet):
    assert line.request(packet) == ""


def test_a_stop_reply_brings_pc_stack_and_frame_pointer(line):
    reply = line.request("?")
    expedited = dict(re.findall(r"([0-9a-f]{2}):([0-9a-f]{16});", reply))
    assert reply.startswith("T05")
    assert set(expedited) == {"06", "07", "10"}
    pc = int.from_bytes(bytes.fromhex(expedited["10"]), "little")
    assert pc >> 31 == 0x1ffffffff, f"{pc:#x} is no kernel address"


def test_a_g_reply_has_general_registers_and_segments_only(line):
    assert len(line.request("g")) == 2 * (17 * 8 + 7 * 4)


def test_the_description_names_the_architecture(description):
    assert description.findtext("architecture") == "i386:x86-64"


@pytest.mark.parametrize("feature, names", [
    ("org.gnu.gdb.i386.core", "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip "
     "eflags cs ss ds es fs gs st0 st7 fctrl fstat ftag"),
    ("org.gnu.gdb.i386.sse", "xmm0 xmm15 mxcsr"),
    ("org.gnu.gdb.i386.segments", "fs_base gs_base"),
    ("org.trapline.system", "cr0 cr2 cr3 cr4 cr8 efer"),
])
def test_the_description_has_the_registers_of(description, feature, names):
    assert set(names.split()) <= set(registers(description, feature))


@pytest.mark.parametrize("name, bits", [("cr0", {"PE": 0, "WP": 16, "PG": 31}),
                                        ("cr4", {"PAE": 5, "OSFXSR": 9, "SMAP": 21}),
                                        ("efer", {"SCE": 0, "LME": 8, "NXE": 11})])
def test_the_description_names_the_flag_bits_of(description, name, bits):
    type_name = registers(description, "org.trapline.system")[name].get("type")
    flags = description.find(f".//flags[@id='{type_name}']")
    found = {field.get("name"): int(field.get("start")) for field in flags}
    assert bits.items() <= found.items()
