"""test_tools.py - qemu.py's commands and exit status; what each check finds where it is planted."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import qemu
from guest import DEADLINE, ROOT

SCRIPTS = ROOT / "scripts"


def run(*command: object, **more: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=DEADLINE, **more)


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "kernel.elf"
    path.touch()
    return path


# ---- qemu.py: the command ----

@pytest.mark.parametrize("arguments, words", [
    ([], ["-accel tcg", "-smp 1", "-m 256M", "-device isa-debug-exit,iobase=0xf4,iosize=4"]),
    ([], ["-chardev stdio,id=console", "-chardev null,id=debugger"]),
    ([], ["-serial chardev:console -chardev null,id=debugger -serial chardev:debugger"]),
    (["--smp", "4", "--memory", "64"], ["-smp 4", "-m 64M"]),
    (["--append", "run=a b;c"], ["-append 'run=a b;c'"]),
    (["--console", "file:/tmp/a,b"], ["-chardev file,id=console,path=/tmp/a,,b"]),
    (["--gdb", "unix:/tmp/s"], ["-chardev socket,id=debugger,path=/tmp/s,server=on,wait=off"]),
    (["--gdb", "tcp:1234"], ["host=127.0.0.1,port=1234,server=on,wait=off"]),
    (["--icount"], ["-icount shift=0"]),
    (["--uefi"], ["-bios /usr/share/ovmf/OVMF.fd"]),
    (["--", "-S", "-gdb", "tcp::1"], ["-S -gdb tcp::1"]),
])
def test_print_shows_the_command(kernel: Path, arguments: list[str], words: list[str]) -> None:
    done = run(SCRIPTS / "qemu.py", "--kernel", kernel, "--print", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert shlex.split(done.stdout)[0] == "qemu-system-x86_64"
    assert [word for word in words if word not in done.stdout] == [], done.stdout


def test_a_disk_that_is_not_there_is_made_blank_and_takes_no_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    qemu.make_disk(disk)
    assert disk.stat().st_size == qemu.DISK_BYTES and disk.stat().st_blocks == 0
    disk.write_bytes(b"kept")
    qemu.make_disk(disk)
    assert disk.read_bytes() == b"kept"


def test_without_an_image_the_kernel_that_make_makes_is_meant() -> None:
    said = run(SCRIPTS / "qemu.py", "--print").stdout
    assert f"-kernel {ROOT}/build/kernel.elf" in said


def test_a_disk_and_an_iso_have_their_own_drives(tmp_path: Path) -> None:
    machine = qemu.Machine(iso=tmp_path / "a.iso", disk=tmp_path / "a.disk")
    drives = [word for word in qemu.command_line(machine) if word.startswith("if=")]
    assert drives == [f"if=ide,index=2,media=cdrom,format=raw,file={tmp_path}/a.iso",
                      f"if=none,id=disk,format=raw,file={tmp_path}/a.disk"]


@pytest.mark.parametrize("arguments, says", [
    (["--kernel", "KERNEL", "--iso", "KERNEL"], "not allowed with"),
    (["--kernel", "/nonexistent"], "/nonexistent: no such file"),
    (["--kernel", "KERNEL", "--frobnicate"], "unrecognized arguments: --frobnicate"),
    (["--kernel", "KERNEL", "--smp", "0"], "invalid positive value: '0'"),
    (["--kernel", "KERNEL", "--timeout", "-1"], "invalid seconds value: '-1'"),
    (["--kernel", "KERNEL", "--console", "tcp:http"], "'tcp:http' is none of"),
    (["--kernel", "KERNEL", "--gdb", "unix:"], "'unix:' is none of"),
    (["--kernel", "KERNEL", "--gdb", "stdio"], "only one of"),
    (["--iso", "KERNEL", "--append", "a"], "no room for a command line"),
])
def test_bad_usage_is_one_line_and_status_2(kernel: Path, arguments: list[str], says: str) -> None:
    done = run(SCRIPTS / "qemu.py",
               *(str(kernel) if word == "KERNEL" else word for word in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and says in done.stderr, done.stderr


def test_an_isos_command_line_is_replaced_in_its_room() -> None:
    line = qemu.GRUB_LINE + b"old".ljust(qemu.GRUB_ROOM) + b"\n"
    image = qemu.replace_command_line(b"before\n" + line + b"after", "new words")
    assert image == (b"before\n" + qemu.GRUB_LINE + b"new words".ljust(qemu.GRUB_ROOM)
                     + b"\nafter")
    with pytest.raises(qemu.QemuError, match="longer than"):
        qemu.replace_command_line(line, "x" * (qemu.GRUB_ROOM + 1))


# ---- qemu.py: the exit status, of programs that play QEMU ----

@pytest.mark.parametrize("script, status", [
    ("exit 0", 0),                                       # switched off
    ("exit 1", 0),                                       # isa-debug-exit with 0
    ("exit 15", 7),
    ("exit 141", 70),                                    # the kernel crashed
    ("exit 255", 127),
    ("kill -SEGV $$", 128 + signal.SIGSEGV),
    ("echo 'qemu-system-x86_64: no such disk' >&2; exit 1", 125),
    ("echo 'qemu: could not open kernel file' >&2; exit 1", 125),
    ("echo 'qemu-system-x86_64: warning: slow' >&2; exit 1", 0),
])
def test_the_status_is_the_guests(script: str, status: int) -> None:
    program = f"import sys, qemu; sys.exit(qemu.run(['sh', '-c', {script!r}]))"
    assert run(sys.executable, "-c", program, cwd=SCRIPTS).returncode == status


def test_a_machine_that_does_not_end_is_ended(tmp_path: Path) -> None:
    disk = tmp_path / "empty.disk"
    disk.write_bytes(bytes(512))
    done = run(SCRIPTS / "qemu.py", "--iso", disk, "--timeout", "0.5", "--console", "null")
    assert done.returncode == 124
    assert done.stderr == "qemu.py: still running after 0.5 seconds: ended\n"


@pytest.mark.parametrize("number, status", [
    (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, 128 + signal.SIGINT),
    (signal.SIGKILL, -signal.SIGKILL)])
def test_no_qemu_outlives_qemu_py(number: signal.Signals, status: int) -> None:
    program = "import sys, qemu; sys.exit(qemu.run(['sh', '-c', 'echo up; exec cat']))"
    with subprocess.Popen([sys.executable, "-c", program], cwd=SCRIPTS, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        # cat holds the pipe: its end is the end of cat, whose own input stays open.
        assert process.stdout.read() == ""
        assert process.wait(DEADLINE) == status


def test_qemus_own_complaint_is_status_125(kernel: Path) -> None:
    done = run(SCRIPTS / "qemu.py", "--kernel", kernel, "--console", "null", "--", "-no-such-flag")
    assert done.returncode == 125
    assert "-no-such-flag" in done.stderr, done.stderr


# ---- The checks ----

TREE = {
    "trap/trap.h": "#include <stdint.h>\n",
    "gdbstub/gdbstub.h": '/* x */\n#include "trap/trap.h"\n',
    "crashdump/writer.c": "/* x */\n\n#include <string.h>\n",
    "arch/arch.h": '#include "arch/x86_64/frame.h"\n',
    "arch/x86_64/frame.h": '#include "kernel/log.h"\n#include "arch/arch.h"\n',
    "arch/x86_64/entry.asm": '%include "layout.inc"\n%include "frame.h"\n',
    "kernel/log.h": '#include "arch/x86_64/frame.h"\n#include "log.h"\n',
    "kernel/log.c": '#include "log.h"\n#include "gdbstub/internal.h"\n#include "../trap/trap.c"\n',
}
FORBIDDEN = [
    "gdbstub/gdbstub.h:2: gdbstub/ must not include trap/trap.h",
    "crashdump/writer.c:3: crashdump/ must not include string.h",
    "arch/arch.h:1: arch/ must not include arch/x86_64/frame.h",
    "arch/x86_64/frame.h:1: arch/x86_64/ must not include kernel/log.h",
    "kernel/log.c:2: kernel/ must not include gdbstub/internal.h",
    "kernel/log.c:3: kernel/ must not include ../trap/trap.c",
    "kernel/log.h:1: kernel/ must not include arch/x86_64/frame.h",
]


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_forbidden_includes_are_found_and_no_others(tmp_path: Path) -> None:
    done = run(SCRIPTS / "check_includes.py", "--root", plant(tmp_path, TREE))
    assert done.stdout.splitlines() == FORBIDDEN
    assert done.returncode == 1


def compile_leaf(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "leaf.c").write_text(text)
    subprocess.run(["gcc", "-O2", "-ffreestanding", "-fno-pic", "-c", "leaf.c"], cwd=folder,
                   check=True)
    return folder


def test_a_leaf_that_needs_or_has_too_much_is_found(tmp_path: Path) -> None:
    good = compile_leaf(tmp_path / "good", """
        void *memcpy(void *, const void *, unsigned long);
        static int calls; const int constant = 1;
        int f(char *a, char *b) { memcpy(a, b, 99); return calls++; }""")
    bad = compile_leaf(tmp_path / "bad", """
        int printf(const char *, ...); extern int other; int global;
        int f(void) { return printf("x") + other; }""")
    done = run(SCRIPTS / "check_symbols.py", good, bad)
    assert sorted(done.stdout.splitlines()) == [
        f"{bad}: has the writable global global", f"{bad}: needs other", f"{bad}: needs printf"]
    assert done.returncode == 1
    assert run(SCRIPTS / "check_symbols.py", good).returncode == 0
    assert run(SCRIPTS / "check_symbols.py", tmp_path).returncode == 1  # nothing to look at


def test_a_header_that_needs_another_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"trap/good.h": "#ifndef A\n#define A\n#include <stdint.h>\n"
                                    "struct a { uint8_t b; };\n#endif\n",
                     "kernel/bad.h": "struct a { uint8_t b; };\n"})
    done = run(SCRIPTS / "check_headers.py", "--root", tmp_path)
    complaints = [line for line in done.stdout.splitlines() if "not alone" in line]
    assert complaints == [f"kernel/bad.h: not alone with {cc}:" for cc in ("gcc", "clang")]
    assert done.returncode == 1


@pytest.mark.parametrize("name, text, says", [
    ("trap/a.c", "/* a */\nint a; // why\n", "2: has a // comment"),
    ("trap/a.c", '/* a */\nchar *a = "http://b";\n', None),
    ("trap/a.c", "/* a */\nint a; \n", "2: ends in white space"),
    ("trap/a.c", "/* a */\n\tint a;\n", "2: has a tab"),
    ("trap/a.c", "/* a */\nint a;", "2: has no newline at its end"),
    ("trap/a.c", "int a;\n", "1: does not open with what it is for"),
    ("trap/a.c", f"/* {'a' * 98} */\n", "1: is wider than 100 columns"),
    ("trap/a.c", "/* a */\n" + "int a;\n" * 400, " has 401 lines, more than 400"),
    ("arch/x86_64/a.asm", "; a\n", None),
    ("scripts/a.py", '#!/usr/bin/python3\n"""a"""\n', None),
    ("scripts/a.py", "import a\n", "1: does not open with what it is for"),
])
def test_text_that_breaks_a_rule_is_found(tmp_path: Path, name: str, text: str,
                                          says: str | None) -> None:
    done = run(SCRIPTS / "check_text.py", "--root", plant(tmp_path, {name: text}))
    assert done.stdout == (f"{name}:{says}\n" if says else "")
    assert done.returncode == (1 if says else 0)


# ---- The others ----

def test_setup_knows_its_arguments() -> None:
    assert run(SCRIPTS / "setup", "--help").stdout.startswith("usage: scripts/setup [--check]\n")
    done = run(SCRIPTS / "setup", "--frobnicate")
    assert (done.returncode, done.stderr) == (2, "scripts/setup: unknown argument --frobnicate\n")


def test_layout_says_what_is_wrong(tmp_path: Path) -> None:
    empty = plant(tmp_path, {"layout.s": ".text\n"}) / "layout.s"
    done = run(SCRIPTS / "layout.py", empty)
    assert (done.returncode, done.stderr) == (1, f"layout.py: {empty}: nothing is exported\n")
