"""The HTML report: one file that needs no other, says what the report says, and keeps what a
crashed machine wrote from becoming markup."""

import re
import struct
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings, strategies

import crash as program
from crash_records import PANIC_VECTOR, Crash, build_victim
from crashlib import cstruct
from crashlib.evidence import Evidence
from crashlib.html import render_html
from crashlib.markup import element, escape
from crashlib.record import load
from crashlib.report import make_report
from crashlib.symbols import Symbols
from crashlib.system import ThreadState
from system_records import busy_system, thread

VOID = ("br", "meta")
HOSTILE = '<script>alert(1)</script>"\'><img src=x onerror=y>'
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Capstone's distutils


class Page(HTMLParser):
    """The elements and the text of a page, which must be well formed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open[-1] == tag, f"</{tag}> within {self._open}"
        self._open.pop()

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data + " "


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return build_victim(tmp_path_factory.mktemp("victim"))


def page_of(crash: Crash) -> tuple[str, Page]:
    record, = load(crash.make())
    text = render_html(make_report(Evidence(record, Symbols(crash.elf, True, ""))))
    return text, Page(text)


@pytest.fixture(scope="module")
def busy(elf):
    return page_of(busy_system(elf))


def test_it_says_what_the_report_says(busy):
    said = " ".join(busy[1].text.split())
    for words in ("null pointer: read at offset 0x18", "offset 0x18 is its field next",
                  "Deadlock: thread 3", "list_next(node=0x0)", "victim_careless",
                  "main stack", "kernel heap", "did not answer", "returns -2",
                  "kernel_main at tests/host/", "about to fail",
                  "registers of CPU 2: no answer", "signature"):
        assert words in said, f"{words!r} is not in the page"


def test_threads_fold_and_pictures_are_drawn(busy):
    text, page = busy
    assert page.tags.count("details") >= 7 and page.tags.count("svg") == 3
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert labels == ["The words of the main stack", "What memory there is",
                      "The last events of each CPU before the crash"]
    assert "guard page" in page.text and "prefers-color-scheme: dark" in text


def test_it_needs_no_other_file_and_runs_nothing(busy):
    text, page = busy
    assert not re.search(r"https?://|@import|url\(", text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes
                if name in ("src", "href", "style") or name.startswith("on")]


def test_what_the_machine_wrote_does_not_become_markup(elf):
    crash = busy_system(elf)
    crash.vector, crash.text = PANIC_VECTOR, HOSTILE
    named = thread(3, "<b>\x1b[2J", ThreadState.WAITING, wait_object=0x5000, wait='"><u>')
    crash.more = [(b"THRD", cstruct.encode(named), 0),
                  (b"LOCK", struct.pack("<QIIIIQ32s", 0x5000, 2, 3, 1, 1, 0, b"<i>\xff"), 0)]
    text, page = page_of(crash)
    assert not {"script", "img", "b", "u", "i"} & set(page.tags)
    assert HOSTILE in page.text and "\x1b" not in text


@settings(max_examples=200, deadline=None)
@given(strategies.text(), strategies.text())
def test_any_text_comes_back_as_text(content, attribute):
    page = Page(element("p", content, title=attribute))
    shown = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in content)
    assert page.tags == ["p"] and page.text.rstrip(" ") == shown.rstrip(" ")
    assert [name for name, _ in page.attributes] == ["title"]
    assert "<" not in escape(content)


@settings(max_examples=30, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keep=strategies.floats(0.03, 1))
def test_a_damaged_record_gives_a_page_too(elf, tmp_path, monkeypatch, keep, capsys):
    monkeypatch.setenv("PATH", "/nonexistent")  # without GDB: this is not about frames
    data = busy_system(elf).make()
    (tmp_path / "raw").write_bytes(data[:int(len(data) * keep)])
    (tmp_path / "page").unlink(missing_ok=True)
    status = program.main(["report", str(tmp_path / "raw"), "--elf", str(elf.path), "--html",
                           str(tmp_path / "page")])
    assert status == 1 or Page((tmp_path / "page").read_text())
    capsys.readouterr()
