"""test_app_building.py - programs: how they are linked; how a debugger sees them begin and end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from guest import BUILD, ROOT
from programs import WAITING, make_app, run


# ---- Building ----

def test_a_program_may_define_any_name(program):
    """Functions and data that the kernel has too."""
    guest = program("""
        int panic = 1, heartbeat = 2, console = 3, stacks = 4;
        void *memcpy(void *to, const void *from, unsigned long n) { kapp_exit(50); }
        void *memset(void *to, int value, unsigned long n) { kapp_exit(51); }
        void *memmove(void *to, const void *from, unsigned long n) { kapp_exit(52); }
        int memcmp(const void *a, const void *b, unsigned long n) { kapp_exit(53); }
        unsigned long strlen(const char *text) { kapp_exit(54); }
        int printf(const char *format, ...) { kapp_exit(55); }
        void log_print(int level, const char *format, ...) { kapp_exit(56); }
        void kernel_main(void) { kapp_exit(57); }
        void arch_trap(void) { kapp_exit(58); }
        void trap_dispatch(void) { kapp_exit(59); }
        void gdbstub_receive(void) { kapp_exit(60); }
        void crash_begin(void) { kapp_exit(61); }
        void arch_copy(void) { kapp_exit(62); }
        int main(void)
        {
            __asm__ volatile("int3");
            return panic + heartbeat + console + stacks;
        }""")
    assert guest.wait() == 10


def test_a_program_may_leave_memory_functions_to_the_kernel(program):
    guest = program("""
        struct large { char bytes[5000]; };
        struct large source = {"all of it"};
        int main(void)
        {
            struct large copy = source, zero = {{0}};
            source.bytes[0] = 'x';
            return copy.bytes[0] == 'a' && copy.bytes[8] == 't' && zero.bytes[4999] == 0 ? 0 : 1;
        }""", cflags="-O2")
    assert guest.wait() == 0


def test_the_kernel_object_has_no_global_name_but_the_interface():
    names = run(["nm", "--defined-only", "--extern-only", "--format=just-symbols",
                 str(BUILD / "app-kernel.o")]).split()
    assert {"kapp_putc", "kapp_getc", "kapp_exit", "kapp_ticks", "kapp_heap"} <= set(names)
    assert [name for name in names if not name.startswith(("kapp_", "kernel."))] == \
        ["multiboot2_start"]


def test_the_kernel_object_has_no_debug_information():
    with (BUILD / "app-kernel.o").open("rb") as file:
        names = [section.name for section in ELFFile(file).iter_sections()]
    assert [name for name in names if name.startswith((".debug", ".rela.debug"))] == []


def test_a_program_is_linked_by_hand_from_two_files(tmp_path: Path, boot):
    sources = tmp_path / "one.c", tmp_path / "two.c"
    sources[0].write_text("int two(void); int main(void) { return two(); }")
    sources[1].write_text("int two(void) { return 22; }")
    flags = ["-ffreestanding", "-mcmodel=kernel", "-mno-red-zone", "-fno-pic", "-nostdlib",
             "-static", "-Wl,-T," + str(BUILD / "app.ld"), "-Wl,--build-id"]
    run(["gcc", *flags, "-o", str(tmp_path / "by-hand.elf"), str(BUILD / "app-kernel.o"),
         *map(str, sources)])
    assert boot(kernel=tmp_path / "by-hand.elf").wait() == 22


def test_make_app_takes_sources_and_objects(tmp_path: Path, boot):
    (tmp_path / "one.c").write_text("int two(void); int main(void) { return two() + ONE; }")
    (tmp_path / "two.c").write_text("int two(void) { return 22; }")
    run(["gcc", "-c", "-mcmodel=kernel", "-mno-red-zone", "-fno-pic", "-o",
         str(tmp_path / "two.o"), str(tmp_path / "two.c")])
    elf = make_app(tmp_path / "app.elf", tmp_path / "one.c", tmp_path / "two.o", cflags="-DONE=1")
    assert boot(kernel=elf).wait() == 23


def test_a_program_that_does_not_compile_fails_the_build(tmp_path: Path):
    (tmp_path / "wrong.c").write_text("int main(void) { return nothing; }")
    done = subprocess.run(["make", "-s", "app", f"APP={tmp_path}/wrong.c",
                           f"OUT={tmp_path}/wrong.elf"], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode != 0
    assert "nothing" in done.stderr
    assert not (tmp_path / "wrong.elf").exists()


def test_the_image_of_a_program_is_one_that_grub_takes(debuggee_elf):
    run(["grub-file", "--is-x86-multiboot2", str(debuggee_elf)])


# ---- With a debugger ----

def test_gdbwait_says_so_and_stops_before_the_program(waiting, attach, debuggee_elf):
    guest = waiting(kernel=debuggee_elf)
    debugger = attach(guest, debuggee_elf)
    assert debugger.number("total") == 0 and debugger.evaluate("parcel.weight") == "2.5"
    assert guest.said.count(WAITING) == 1 and "." not in guest.said
    debugger("tbreak main")
    assert debugger.resume()["func"] == "main"


@pytest.mark.parametrize("code, reason", [(0, "exited-normally"), (2, "exited"), (200, "exited")])
def test_the_debugger_is_told_of_the_end(waiting, attach, tmp_path, code, reason):
    (tmp_path / "program.c").write_text(f"int main(void) {{ return {code}; }}")
    elf = make_app(tmp_path / "program.elf", tmp_path / "program.c")
    guest = waiting(kernel=elf)
    stop = attach(guest, elf).resume()
    assert stop["reason"] == reason
    assert int(stop.get("exit-code", "0"), 8) == code
    assert guest.wait() == min(code, 127)


def test_the_end_is_told_in_a_w_packet_and_acknowledged(waiting, connect, tmp_path):
    (tmp_path / "program.c").write_text("int main(void) { return 2; }")
    elf = make_app(tmp_path / "program.elf", tmp_path / "program.c")
    guest = waiting(kernel=elf)
    line = connect(guest)
    line.request("qSupported:multiprocess+")
    assert line.request("vCont;c") == "W02;process:1"
    assert guest.wait() == 2


def test_kill_leaves_the_machine_at_once(waiting, attach, debuggee_elf):
    guest = waiting(kernel=debuggee_elf)
    debugger = attach(guest, debuggee_elf)
    debugger("tbreak main")
    debugger.resume()
    debugger("kill")
    assert guest.wait() == 0
    assert "exited with status" not in guest.said


def test_a_fault_in_a_program_is_recorded_with_its_name(program, tmp_path):
    guest = program("int main(void) { *(volatile int *)8 = 1; return 0; }")
    assert guest.wait() == 70
    (tmp_path / "log").write_text(guest.said)
    report = run([str(ROOT / "scripts/crash.py"), "report", str(tmp_path / "log"), "--elf",
                  str(tmp_path / "program.elf")])
    assert "null pointer" in report and "main" in report and "program.c" in report
