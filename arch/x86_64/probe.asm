; probe.asm - the access that may fault, with the place where it then goes on.
;
; A row {faulting instruction, where to go} in .fixups; guard.c looks the trapping pc up there.

%include "cfi.inc"

%macro fixup 2
    [section .fixups progbits alloc noexec nowrite align=8]
    dq %1, %2
    __?SECT?__
%endmacro

section .text
    cfi_cies

; size_t arch_copy(void *to, const void *from, size_t len): the bytes copied before a fault.
; rep movsb leaves rcx at what is still to do (SDM 2B, REP), whichever side faulted.
align 16
    cfi_begin arch_copy, cfi_plain_cie
    mov rcx, rdx
    cld
copy_access:
    rep movsb
copy_done:
    mov rax, rdx
    sub rax, rcx
    ret
    cfi_end
    fixup copy_access, copy_done

; bool probe_read_N(uint64_t address, uint64_t *value): one access; false if it faults.
%macro probe_read 2+                        ; N, the instruction
align 16
    cfi_begin probe_read_%1, cfi_plain_cie
%%access:
    %2
    mov [rsi], rax
    mov eax, 1
    ret
    cfi_end
    fixup %%access, probe_failed
%endmacro
    probe_read 1, movzx eax, byte [rdi]
    probe_read 2, movzx eax, word [rdi]
    probe_read 4, mov eax, [rdi]
    probe_read 8, mov rax, [rdi]

; bool probe_write_N(uint64_t address, uint64_t value)
%macro probe_write 2+                       ; N, the instruction
align 16
    cfi_begin probe_write_%1, cfi_plain_cie
%%access:
    %2
    mov eax, 1
    ret
    cfi_end
    fixup %%access, probe_failed
%endmacro
    probe_write 1, mov [rdi], sil
    probe_write 2, mov [rdi], si
    probe_write 4, mov [rdi], esi
    probe_write 8, mov [rdi], rsi

; Where those go on after a fault: the stack is as it was at the access.
align 16
    cfi_begin probe_failed, cfi_plain_cie
    xor eax, eax
    ret
    cfi_end
