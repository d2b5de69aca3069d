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
