"""test_applications.py - programs that become the kernel's main thread: what app.h promises."""

from __future__ import annotations

import socket

import pytest
from elftools.elf.elffile import ELFFile

from monitor import wait_for_socket
from programs import WAITING

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


def test_a_console_that_nobody_reads_does_not_hold_the_program_up(program, tmp_path):
    guest = program("""
        int main(void)
        {
            kapp_getc();
            for (int i = 0; i < 1000000; i++)
                kapp_putc('x');
            return 7;
        }""", "", "--console", f"unix:{tmp_path}/console")
    wait_for_socket(tmp_path / "console")
    with socket.socket(socket.AF_UNIX) as unread:
        unread.connect(str(tmp_path / "console"))
        unread.send(b"!")
        assert guest.wait() == 7


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


@pytest.mark.parametrize("instruction", ["syscall", "int $0x80"])
def test_a_system_call_of_a_program_fails(program, instruction):
    """It has no process, and ring 0 has another way back."""
    guest = program(f"""
        static long call(long number)
        {{
            __asm__ volatile("{instruction}" : "+a"(number)
                             : "D"(1), "S"("no"), "d"(2) : "rcx", "r11", "memory");
            return number;
        }}
        int main(void)
        {{
            for (long number = 0; number < 40; number++)
                if (call(number) != -1)
                    return 1;
            return 0;
        }}""")
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
