"""trapline_show_memory.py - part of trapline_commands.py: what an address is, and whether the heap
is as it should be.
"""

import gdb
import trapline_state as state
import trapline_state_heap as state_heap
from crashlib.maps import range_name
from crashlib.x86 import PAGE, is_canonical
from trapline_state_heap import Block, counted

PROBLEMS_SHOWN = 16
STATE_WORDS = {"ALLOCATED": "allocated", "FREED": "freed, kept back from reuse",
               "FREE": "free memory", "CHANGING": "about to be allocated or freed"}


def whatis(argument):
    """What an address is: symbol, stack, guard page, heap; and how it is mapped.
    trapline whatis ADDRESS"""
    value = state.address(argument)
    book = state.address_book()
    words = book.describe(value)
    lines = [f"{value:#x}" + (f": {words}" if words else ": nothing known by that address")]
    held = book.map_at(value)
    if held is not None:
        lines.append(f"  in {range_name(held)}, {held.start:#x} to {held.end:#x}, "
                     f"{held.permissions}")
    if value < PAGE or not is_canonical(value):
        return lines
    try:
        lines.append(f"  {state.walk(value).summary()}")
    except gdb.GdbError as error:
        lines.append(f"  how it is mapped is not known: {error}")
    return lines


def heap(argument):
    """Check the block of the heap that an address is in, or all.  trapline heap [ADDRESS]"""
    if argument:
        return _one_block(state.address(argument))
    blocks = list(state_heap.blocks())
    start, end = state_heap.bounds()
    lines = [f"heap: {end - start} bytes from {start:#x} to {end:#x}"]
    for name, words in STATE_WORDS.items():
        of_state = [block for block in blocks if block.state == name]
        size = sum(block.size for block in of_state)
        if of_state:
            lines.append(f"  {counted(len(of_state), 'block')}, {counted(size, 'byte')}: {words}")
    found = [(block, words) for block in blocks for words in state_heap.check(block)]
    lines += [f"not intact: {_block_words(block)}: {words}"
              for block, words in found[:PROBLEMS_SHOWN]]
    if len(found) > PROBLEMS_SHOWN:
        lines.append(f"not intact: {len(found) - PROBLEMS_SHOWN} more")
    return lines + ([] if found else ["all headers, red zones and free bytes are intact"])


def _one_block(address):
    block = state_heap.block_at(address)
    if block is None:
        start, end = state_heap.bounds()
        return [f"{address:#x} is not in the heap, which is from {start:#x} to {end:#x}"]
    lines = [f"{address:#x}: {_place_words(block, address)}{_block_words(block)}"]
    lines += [f"  {words}" for words in _history(block)]
    problems = state_heap.check(block)
    return lines + ([f"  not intact: {words}" for words in problems] or [f"  {_intact(block)}"])


def _place_words(block, address):
    if block.state in ("FREE", "DESTROYED"):
        return "in "
    offset = address - block.data
    if offset < 0:
        return f"{-offset} bytes before the start of "
    if offset < block.size:
        return f"{offset} bytes into "
    return f"{offset - block.size} bytes behind the end of "


def _block_words(block: Block):
    if block.state == "DESTROYED":
        return f"what was a block at {block.at:#x}"
    if block.state == "FREE":
        return f"{block.size} bytes of free memory at {block.data:#x}"
    return f"a block of {block.size} bytes at {block.data:#x}"


def _history(block):
    if block.state in ("FREE", "DESTROYED"):
        return []
    words = [f"allocated by thread {block.thread} in {state.place(block.site - 1)}"]
    if block.freed_site:
        words.append(f"freed by thread {block.freed_by} in {state.place(block.freed_site - 1)}")
    return words


def _intact(block):
    return {"ALLOCATED": "its header and red zones are intact",
            "FREED": "its header, red zones and poison are intact",
            "FREE": "its header and poison are intact",
            "CHANGING": "its header is intact"}[block.state]
