"""inputs.py - the bytes of an input: small files read, big ones mapped, pipes and compressed ones
spooled.

Memory does not grow with the input.  Knows no records.  Refuses containers that scatter what is in
them, and says which command takes it out.
"""

from __future__ import annotations

import errno
import gzip
import lzma
import mmap
import os
import re
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import BinaryIO

Bytes = bytes | mmap.mmap

STANDARD_INPUT = "-"
READ_BYTES = 1 << 26  # up to this a file is read; mapped, it would kill us if it were cut meanwhile
SPOOL_BYTES = 1 << 34  # of a pipe, or unpacked: more is refused
CHUNK_BYTES = 1 << 20

# How a file begins whose contents do not lie in it as they are, and what to do about that.
REFUSED = (
    (b"QFI\xfb", "a qcow2 disk image: `qemu-img convert -O raw {0} {0}.raw` makes it readable"),
    (b"KDMV", "a VMDK disk image: `qemu-img convert -O raw {0} {0}.raw` makes it readable"),
    (b"vhdxfile", "a VHDX disk image: `qemu-img convert -O raw {0} {0}.raw` makes it readable"),
    (b"conectix", "a VHD disk image: `qemu-img convert -O raw {0} {0}.raw` makes it readable"),
    (b"KDUMP   ", "a compressed kdump: take it again with `dump-guest-memory FILE`, without -z, "
                  "-l, -s"),
    (b"makedumpfile\0", "a compressed kdump: take it again with `dump-guest-memory FILE`, without "
                        "-z, -l, -s"),
    (b"QEVM", "a saved QEMU machine, not its memory: `dump-guest-memory FILE` in QEMU's monitor "
              "writes that"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: `zstd -d {0}` unpacks it"),
    (b"\x04\x22\x4d\x18", "compressed with lz4: `lz4 -d {0}` unpacks it"),
    (b"PK\x03\x04", "a zip archive: `unzip {0}` unpacks it"),
)
UNPACKERS: tuple[tuple[bytes, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


WINDOW_BYTES = 1 << 26  # of a map, searched at a time
LONGEST_MATCH = 1 << 13  # of the patterns that are searched for


class InputRefused(Exception):
    """This input cannot be looked into; the text is the one line that says what to do."""


def search(pattern: re.Pattern[bytes], data: Bytes, start: int = 0,
           end: int | None = None) -> Iterator[re.Match[bytes]]:
    """pattern.finditer(data, start, end); of a map, no more is in memory than a window."""
    end = len(data) if end is None else min(end, len(data))
    while start < end:
        border = min(start + WINDOW_BYTES, end)
        behind = border
        for match in pattern.finditer(data, start, min(border + LONGEST_MATCH, end)):
            if match.start() >= border:
                break
            behind = max(border, match.end())
            yield match
        if isinstance(data, mmap.mmap):
            first = start // mmap.PAGESIZE * mmap.PAGESIZE
            data.madvise(mmap.MADV_DONTNEED, first, border - first)
        start = behind


@contextmanager
def open_input(name: Path | str) -> Iterator[Bytes]:
    """The bytes of a file, a device, or standard input.  Raises OSError and InputRefused."""
    if str(name) == STANDARD_INPUT:
        with _plain(sys.stdin.buffer, "standard input") as data:
            yield data
        return
    if Path(name).is_dir():
        raise InputRefused(f"{name}: a folder: `crash.py triage {quote(str(name))}` takes all "
                           "that is in it")
    with open(name, "rb") as file, _plain(file, str(name)) as data:
        yield data


@contextmanager
def _plain(file: BinaryIO, name: str) -> Iterator[Bytes]:
    """What is in the file, unpacked if need be."""
    with (tempfile.TemporaryFile(prefix="trapline-") as spool,
          tempfile.TemporaryFile(prefix="trapline-") as unpacked):
        size = _size_of(file)
        if size is None:
            size = _copy(file, spool, name)
            file = spool
        data = _view(file, size)
        unpack = next((unpack for magic, unpack in UNPACKERS if data[:len(magic)] == magic), None)
        if unpack is not None:
            file.seek(0)
            data = _view(unpacked, _copy(unpack(file), unpacked, name))
        _refuse_containers(data, name)
        yield data


def _refuse_containers(data: Bytes, name: str) -> None:
    for magic, words in REFUSED:
        if data[:len(magic)] == magic:
            raise InputRefused(f"{name}: {words.format(quote(name))}")


def _size_of(file: BinaryIO) -> int | None:
    """None if it must be read to its end to know."""
    try:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode):
            return _end_of_data(file.fileno())
        if stat.S_ISBLK(mode):
            return file.seek(0, os.SEEK_END)
    except OSError:
        pass
    return None


def _end_of_data(file: int) -> int:
    """A disk image is a large file of which little was ever written: not what follows that."""
    end = 0
    try:
        while True:
            end = os.lseek(file, os.lseek(file, end, os.SEEK_DATA), os.SEEK_HOLE)
    except OSError as error:
        if error.errno != errno.ENXIO:  # what a file system says that has no more data
            end = os.fstat(file).st_size
    os.lseek(file, 0, os.SEEK_SET)
    return end


def _view(file: BinaryIO, size: int) -> Bytes:
    file.seek(0)
    if size <= READ_BYTES:
        return file.read(size)
    data = mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ)
    data.madvise(mmap.MADV_SEQUENTIAL)
    return data


def _copy(source: BinaryIO, spool: BinaryIO, name: str) -> int:
    """The length; zeros become holes, so that what is empty costs nothing."""
    length = 0
    try:
        while chunk := source.read1(CHUNK_BYTES):  # read() would lose what precedes the damage
            length += len(chunk)
            if length > SPOOL_BYTES:
                raise InputRefused(f"{name}: more than {SPOOL_BYTES >> 30} GiB without an end: "
                                   "give a file, unpacked")
            if chunk.count(0) == len(chunk):
                spool.seek(length)
            else:
                spool.write(chunk)
    except DAMAGED:
        pass  # what came before the damage is as good as ever
    spool.truncate(length)
    return length
