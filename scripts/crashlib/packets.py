"""packets.py - the console's text on a line that it shares with GDB: plain, and in `O` packets.

Knows how GDB's packets are framed (RSP: `$`, data, `#`, two digits of checksum; `c*n` is c and
n - 29 more of it), and nothing of what is in them but text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from crashlib.inputs import Bytes, search

LONGEST_PACKET = 1 << 13

_PACKET = re.compile(rb"\$([^$#]*)#([0-9a-f]{2})")
_ACKNOWLEDGED_PACKET = re.compile(rb"\+*(\$[^$#]*#[0-9a-f]{2})")
_START = re.compile(rb"\+*(?:\$|\Z)")
_CONSOLE_PACKET = re.compile(rb"\$O(?:[0-9a-f]|\*[ -~])+#[0-9a-f]{2}")
_RUN = re.compile(rb"(.)\*(.)", re.DOTALL)
_TEXT = re.compile(rb"O((?:[0-9a-f]{2})+)")


def text_in_packets(data: Bytes, hidden: Sequence[tuple[int, int]] = ()) -> bytes:
    """The text of all console packets in `data` that do not begin in `hidden`, joined."""
    found = (text_of(match[0]) for match in search(_CONSOLE_PACKET, data)
             if not any(start <= match.start() < end for start, end in hidden))
    return b"".join(text for text in found if text)


def text_of(packet: bytes) -> bytes | None:
    """What it prints, b"" if it is another packet, None if it is none: text, or damaged."""
    match = _PACKET.fullmatch(packet)
    if match is None or sum(match[1]) % 256 != int(match[2], 16):
        return None
    data = _RUN.sub(lambda run: run[1] * max(run[2][0] - 28, 1), match[1])
    text = _TEXT.fullmatch(data)
    return bytes.fromhex(text[1].decode()) if text else b""


class Unpacker:
    """What comes over the line, piece by piece: the text, without GDB's packets and what
    acknowledges them."""

    def __init__(self) -> None:
        self._held = b""  # may become a packet

    def feed(self, data: bytes) -> bytes:
        self._held += data
        texts = []
        while self._held:
            texts.append(self._take(_START.search(self._held).start()))
            if match := _ACKNOWLEDGED_PACKET.match(self._held):
                text = text_of(match[1])
                texts.append(match[0] if text is None else text)
                self._take(match.end())
            elif self._may_become_one():
                break
            else:
                texts.append(self._take(self._held.index(b"$") + 1))
        return b"".join(texts)

    def flush(self) -> bytes:
        """What is held will not become a packet."""
        return self._take(len(self._held))

    def _take(self, length: int) -> bytes:
        taken, self._held = self._held[:length], self._held[length:]
        return taken

    def _may_become_one(self) -> bool:
        data, _, checksum = self._held.partition(b"$")[2].partition(b"#")
        return b"$" not in data and len(data) < LONGEST_PACKET and len(checksum) < 2
