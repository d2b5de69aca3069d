; provoke.asm - failures that C cannot express (arch/provoke.h).
;
; Each has a frame pointer, so that backtraces without symbols show who called it.

%include "cfi.inc"

SELECTOR_BEYOND_TABLE equ 0x7ff8            ; index 4095 of the GDT
MSR_PKRS              equ 0x6e1             ; SDM 4, 2.1: bits 63:32 are reserved
UNMAPPED              equ 0x100000000000    ; canonical, in the half that the kernel does not use

section .text
    cfi_cies

; The frame pointer, and its rules.
%macro push_frame 0
    push rbp
    cfi_advance
    cfi_cfa_offset 16
    cfi_saved CFI_RBP, 16
    mov rbp, rsp
    cfi_advance
    cfi_cfa CFI_RBP, 16
%endmacro

%macro pop_frame 0
    pop rbp
    cfi_advance
    cfi_cfa CFI_RSP, 8
    cfi_restored CFI_RBP
%endmacro

; void arch_provoke_bad_selector(void)
align 16
    cfi_begin arch_provoke_bad_selector, cfi_plain_cie
    push_frame
    mov eax, SELECTOR_BEYOND_TABLE
    mov fs, eax                             ; #GP, the selector in its error code
    pop_frame
    ret
    cfi_end

; void arch_provoke_bad_register(void)
align 16
    cfi_begin arch_provoke_bad_register, cfi_plain_cie
    push_frame
    mov ecx, MSR_PKRS
    mov edx, 1                              ; bit 32
    xor eax, eax
    wrmsr                                   ; #GP(0), also where the register does not exist
    pop_frame
    ret
    cfi_end

; void arch_provoke_lost_stack(void)
align 16
    cfi_begin arch_provoke_lost_stack, cfi_plain_cie
    push_frame
    mov rsp, UNMAPPED
    push rax                                ; #PF, which has no stack to arrive on either: #DF
    ud2
    cfi_end
