"""test_applications.py - programs that become the kernel's main thread, as kernel/app.h promises."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from guest import BUILD, ROOT
from programs import WAITING, make_app, run

PRINT = """
#include "kernel/app.h"

static void print(const char *text)
{
    while (*text != '\\0')
        kapp_putc(*text++);
}

static void print_number(unsigned long n)
{
    if (n >= 10)
        print_number(n / 10);
    kapp_putc('0' + n % 10);
}
"""


@pytest.fixture
def program(boot, tmp_path: Path) -> Callable:
    """program("C text", ...) is a machine that runs it; PRINT is in front of the text."""

    def start(text: str, *arguments: str, cflags: str = ""):
        source = tmp_path / "program.c"
        source.write_text(PRINT + text)
        elf = make_app(tmp_path / "program.elf", source, cflags="-Wno-unused-function " + cflags)
        return boot(*arguments, kernel=elf)

    return start


# ---- Entry and exit ----

@pytest.mark.parametrize("code, status", [(0, 0), (1, 1), (42, 42), (127, 127)])
def test_the_status_of_main_becomes_the_machine_s(program, code, status):
    guest = program(f"int main(void) {{ return {code}; }}")
    assert guest.wait() == status
    assert f"application exited with status {code}" in guest.said


@pytest.mark.parametrize("code", [128, 200, 255, -1])
def test_a_status_that_the_machine_cannot_have_is_still_a_failure_and_printed(program, code):
    guest = program(f"int main(void) {{ return {code}; }}")
    assert guest.wait() == 127
    assert f"application exited with status {code}" in guest.said


def test_kapp_exit_ends_the_program_wherever_it_is(program):
    guest = program("""
        static void deep(int n) { if (n == 0) kapp_exit(9); deep(n - 1); print("no"); }
        int main(void) { deep(50); return 1; }""")
    assert guest.wait() == 9
    assert "no" not in guest.said.split()


def test_main_has_a_name_for_its_arguments(program):
    guest = program("""
        int main(int argc, char **argv)
        {
            print("<");
            print(argv[0]);
            print(">");
            return argc == 1 && argv[1] == 0 ? 0 : 1;
        }""")
    assert guest.wait() == 0
    assert "<app>" in guest.said


def test_kapp_start_is_entered_instead_of_main(program):
    guest = program("""
        void kapp_start(void) { print("<start>"); kapp_exit(3); }
        int main(void) { print("<main>"); return 4; }""")
    assert guest.wait() == 3
    assert "<start>" in guest.said and "<main>" not in guest.said


def test_kapp_start_needs_no_main(program):
    assert program("void kapp_start(void) { kapp_exit(5); }").wait() == 5


def test_a_program_that_returns_from_kapp_start_has_succeeded(program):
    assert program("void kapp_start(void) { }").wait() == 0


# ---- The interface ----

def test_bytes_are_printed_as_they_are(program):
    guest = program("int main(void) { print(\"a\\nb\\r\\tc\\x7f\"); return 0; }")
    guest.wait()
    assert "a\nb\r\tc\x7f" in guest.said


def test_bytes_are_read_as_they_are_typed(program):
    guest = program("""
        int main(void)
        {
            print("ready");
            for (int c; (c = kapp_getc()) != 'q';) {
                print("<");
                print_number(c);
                print(">");
            }
            return 0;
        }""")
    guest.wait_for("ready")
    guest.type("a\r\n\x01\x03\x7fq")
    assert guest.wait() == 0
    assert "<97><13><10><1><3><127>" in guest.said


def test_ticks_are_microseconds_that_never_go_back(program):
    guest = program("""
        int main(void)
        {
            long first = kapp_ticks(), last = first;
            for (int i = 0; i < 100000; i++) {
                long now = kapp_ticks();
                if (now < last)
                    return 1;
                last = now;
            }
            return last > first && first > 0 ? 0 : 2;
        }""")
    assert guest.wait() == 0


def test_the_heap_is_16_mib_of_zeroes_that_keep_what_is_written(program):
    guest = program("""
        int main(void)
        {
            unsigned long size, *heap = kapp_heap(&size);
            if (size != 16ul << 20)
                return 1;
            for (unsigned long i = 0; i < size / 8; i++)
                if (heap[i] != 0)
                    return 2;
            for (unsigned long i = 0; i < size / 8; i++)
                heap[i] = i * 0x9e3779b97f4a7c15;
            for (unsigned long i = 0; i < size / 8; i++)
                if (heap[i] != i * 0x9e3779b97f4a7c15)
                    return 3;
            return kapp_heap(&size) == heap ? 0 : 4;
        }""")
    assert guest.wait() == 0


def test_the_heap_is_outside_every_section(program, tmp_path, attach):
    guest = program("""
        void *heap;
        int main(void) { unsigned long size; heap = kapp_heap(&size); return 0; }""", "gdbwait")
    guest.wait_for(WAITING)
    elf = tmp_path / "program.elf"
    debugger = attach(guest, elf)
    debugger("tbreak kapp_exit")
    debugger.resume()
    heap = debugger.number("heap")
    with elf.open("rb") as file:
        inside = [section.name for section in ELFFile(file).iter_sections()
                  if section["sh_addr"] < heap + (16 << 20)
                  and section["sh_addr"] + section["sh_size"] > heap]
    assert heap != 0 and inside == []


def test_the_stack_has_room_for_almost_1_mib(program):
    guest = program("""
        static int use(volatile char *above, int n)
        {
            volatile char bytes[1024];
            for (int i = 0; i < 1024; i++)
                bytes[i] = n;
            int rest = n == 0 ? 0 : use(bytes, n - 1);
            return rest + (bytes[n] == (char)n ? 0 : 1);
        }
        int main(void) { return use(0, 900); }""")
    assert guest.wait() == 0


def test_a_stack_overflow_of_a_program_is_recorded(program):
    guest = program("""
        int dive(int n) { volatile char bytes[1000] = {0}; return dive(n + 1) + bytes[0]; }
        int main(void) { return dive(0); }""")
    assert guest.wait() == 70
    assert "double fault" in guest.said
    assert "app stack" in guest.said


def test_floating_point_works(program):
    guest = program("""
        int main(void)
        {
            volatile double x = 2, root = 1;
            volatile float single = 0.1f;
            volatile long double third = 1.0L / 3;
            for (int i = 0; i < 50; i++)
                root = (root + x / root) / 2;
            print("<");
            print_number(root * 1000000000);
            print(" ");
            print_number(single * 10 * 1000000);
            print(" ");
            print_number(third * 1000000000000000000.0L);
            print(">");
            return 0;
        }""")
    assert guest.wait() == 0
    assert "<1414213562 1000000 333333333333333333>" in guest.said


def test_interrupts_are_on(program):
    guest = program("""
        int main(void)
        {
            unsigned long flags;
            __asm__ volatile("pushf; pop %0" : "=r"(flags));
            return flags >> 9 & 1 ? 0 : 1;
        }""")
    assert guest.wait() == 0


def test_a_program_runs_in_ring_0(program):
    guest = program("""
        int main(void)
        {
            unsigned short cs;
            __asm__ volatile("mov %%cs, %0" : "=r"(cs));
            return cs & 3;
        }""")
    assert guest.wait() == 0


# ---- Building ----

def test_a_program_may_define_any_name(program):
    """Functions, data and even types of linkage that the kernel has too."""
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
