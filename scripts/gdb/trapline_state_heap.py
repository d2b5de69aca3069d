"""trapline_state_heap.py - the kernel's heap, block by block, as it lies in memory (heap_block.h).

Follows headers from the front; where one is destroyed, goes on at the next that is not.  Bytes that
cannot be read are a problem of the block that they are in.
"""

import re
from dataclasses import dataclass, field
from functools import cache

import gdb
import trapline_state as state
from crashlib.x86 import PAGE

CHUNK = 64 << 10
BYTES_SHOWN = 8
STATES = {1: "FREE", 2: "ALLOCATED", 3: "FREED", 4: "CHANGING"}  # enum heap_block_state
FILL_FREED, FILL_RED_ZONE = 0xDF, 0xFD  # enum heap_fill
RED_ZONE, ALIGNMENT = 16, 16


@dataclass
class Block:
    at: int  # its header
    bytes: int  # up to the next header
    state: str  # of STATES, or "DESTROYED"
    data: int = 0  # the caller's bytes
    size: int = 0  # ... how many; of free memory, all of it
    thread: int = 0
    freed_by: int = 0
    site: int = 0
    freed_site: int = 0
    problems: list = field(default_factory=list)


def header_type():
    return gdb.lookup_type("struct heap_block")


@cache
def _magic():
    """heap_block.h says it: a header's magic is that of its address."""
    text = (state.ROOT / "kernel/heap_block.h").read_text(encoding="utf-8")
    return int(re.search(r"UINT64_C\((0x[0-9a-f]+)\) \^ address", text)[1], 16)


def bounds():
    index = state.variable("kernel/heap_index.c", "heap_index")
    return int(index["start"]), int(index["end"])


def blocks():
    """All, in the order of their addresses."""
    start, end = bounds()
    return _blocks_from(start, end, 0)


def block_at(address):
    """The one around the address; None outside of the heap."""
    start, end = bounds()
    if not start <= address < end:
        return None
    return next((block for block in _blocks_from(_near(address, start), end, None)
                 if address < block.at + block.bytes), None)


def _blocks_from(at, end, before):
    """`before`: the bytes of the block in front; None: not known."""
    while at < end:
        block = _read(at, end, before)
        yield block
        at, before = at + block.bytes, block.bytes


def _near(address, start):
    """The first block of a page, at or before the address: no need to go through all of them."""
    for page in range((address - start) // PAGE, -1, -1):
        at = _first_in(page, start)
        if at is not None and at <= address and _is_header(at):
            return at
    return start


def _first_in(page, start):
    first = int(state.variable("kernel/heap_index.c", "heap_index")["first"][page])
    return start + page * PAGE + (first - 1) * ALIGNMENT if first else None


def _is_header(at):
    try:
        return state.read_word(at) == _magic() ^ at
    except gdb.MemoryError:
        return False


def _read(at, end, before):
    """The block at an address; one that is destroyed reaches to the next that is not."""
    header = state.struct_at(at, "heap_block") if _is_header(at) else None
    size = int(header["bytes"]) if header is not None else 0
    if header is None or not header_type().sizeof < size <= end - at or (
            int(header["state"]) not in STATES):
        return _destroyed(at, end)
    in_front = header_type().sizeof + RED_ZONE
    block = Block(at, size, STATES[int(header["state"])], at + in_front, int(header["size"]),
                  *(int(header[name]) for name in ("thread", "freed_by", "site", "freed_site")))
    if block.state == "FREE":
        block.data, block.size = at + header_type().sizeof, size - header_type().sizeof
    elif block.size > size - in_front:
        block.problems.append(f"its size, {block.size}, is more than there is room for")
        block.size = size - in_front
    if before is not None and int(header["before"]) != before:
        block.problems.append(f"its header says that the block in front has "
                              f"{int(header['before'])} bytes, not {before}")
    return block


def _destroyed(at, end):
    following = _next_header(at + ALIGNMENT, end)
    block = Block(at, following - at, "DESTROYED", at, following - at)
    found = _bytes(at, BYTES_SHOWN)
    block.problems.append("its header cannot be read" if found is None
                          else f"its header is overwritten: {found.hex(' ')} ...")
    return block


def _next_header(at, end):
    """The next place with the magic of a header; `end` if there is none."""
    for chunk in range(at, end, CHUNK):
        data = _bytes(chunk, min(CHUNK, end - chunk)) or b""
        for offset in range(0, len(data), ALIGNMENT):
            if int.from_bytes(data[offset:offset + 8], "little") == _magic() ^ chunk + offset:
                return chunk + offset
    return end


# ---- Checks -------------------------------------------------------------------------------------

def check(block):
    """What is wrong with a block, in words."""
    found = list(block.problems)
    end = block.at + block.bytes
    if block.state in ("ALLOCATED", "FREED"):
        found += _changed(block.data - RED_ZONE, block.data, FILL_RED_ZONE, "the red zone in front",
                          block.data)
        found += _changed(block.data + block.size, end, FILL_RED_ZONE, "the red zone behind",
                          block.data)
    if block.state in ("FREED", "FREE"):
        found += _changed(block.data, block.data + block.size, FILL_FREED, "freed bytes",
                          block.data)
    return found


def _changed(start, end, fill, what, origin):
    data = _bytes(start, end - start)
    if data is None:
        return [f"{what} cannot be read"]
    others = [offset for offset, byte in enumerate(data) if byte != fill]
    if not others:
        return []
    first = others[0]
    return [f"{what}: {counted(len(others), 'byte')} overwritten, from offset "
            f"{start + first - origin} on: {data[first:first + BYTES_SHOWN].hex(' ')}"]


def counted(number, thing):
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _bytes(address, length):
    """None if they cannot be read."""
    try:
        return b"".join(state.read_bytes(at, min(CHUNK, address + length - at))
                        for at in range(address, address + length, CHUNK))
    except gdb.MemoryError:
        return None
