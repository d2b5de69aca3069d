"""noise.py - what may be on a serial line that is nobody's wish."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from monitor import Monitor
from packets import Line, packet

REQUESTS = ["?", "g", "qC", "mffffffff80100000,40", "qfThreadInfo", "qSupported:swbreak+",
            "vCont;c", "vCont;s:p1.1;c", "Hg0", "qXfer:threads:read::0,fff", "vCont?"]


def random_bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randint(1, 400)).replace(b"\x03", b"")


def half_packet(chance: random.Random) -> bytes:
    whole = packet(chance.choice(REQUESTS))
    return whole[:chance.randrange(1, len(whole) - 1)]


def wrong_checksum(chance: random.Random) -> bytes:
    whole = packet(chance.choice(REQUESTS))
    return whole[:-2] + b"%02x" % ((int(whole[-2:], 16) + chance.randint(1, 255)) % 256)


def no_checksum(chance: random.Random) -> bytes:
    return packet(chance.choice(REQUESTS))[:-2] + chance.choice([b"zz", b"#", b"\xff\xff", b"$"])


def too_long(chance: random.Random) -> bytes:
    return b"$" + b"m" * chance.randint(4000, 20000)


def acknowledgements(chance: random.Random) -> bytes:
    return bytes(chance.choices(b"+-", k=chance.randint(1, 300)))


# Nothing of it is a request.
DAMAGE: dict[str, Callable[[random.Random], bytes]] = {
    "random bytes": random_bytes, "half a packet": half_packet, "wrong checksums": wrong_checksum,
    "no checksum": no_checksum, "a packet without an end": too_long,
    "acknowledgements": acknowledgements,
}


def babble(line: Line, monitor: Monitor, chance: random.Random) -> None:
    """Damage, with Ctrl-C and breaks of the line in between."""
    for _ in range(chance.randint(1, 8)):
        line.send(chance.choice(list(DAMAGE.values()))(chance))
        if chance.random() < 0.2:
            line.send(b"\x03" * chance.randint(1, 3))
        if chance.random() < 0.2:
            monitor.send_break()


def ask_and_go(line: Line, chance: random.Random) -> None:
    """Requests of somebody who does not wait for the replies."""
    for _ in range(chance.randint(1, 10)):
        line.send(packet(chance.choice(REQUESTS)))
        if chance.random() < 0.3:
            line.send(chance.choice(list(DAMAGE.values()))(chance))
