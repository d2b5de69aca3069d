; provoke.asm - failures that C cannot express (arch/provoke.h).
;
; Each has a frame pointer, so that backtraces without symbols show who called it.

%include "cfi.inc"

SELECTOR_BEYOND_TABLE equ 0x7ff8            ; index 4095 of the GDT
MSR_PKRS              equ 0x6e1             ; SDM 4, 2.1: bits 63:32 are reserved
UNMAPPED              equ 0x100000000000    ; canonical, in the half that the kernel does not use
MSR_GS_BASE           equ 0xc0000101
DIRECT_MAP            equ 0xffff800000000000 ; memory_layout.h
DIRECT_MAP_ENTRY      equ 256               ; of the root table
VECTOR_PAGE_FAULT     equ 14
GATE_BYTES            equ 16

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

; void arch_provoke_machine_check(void)
align 16
    cfi_begin arch_provoke_machine_check, cfi_plain_cie
    push_frame
    int 18
    nop                                     ; the frame points here
    pop_frame
    ret
    cfi_end

; void arch_provoke_nmi(void)
align 16
    cfi_begin arch_provoke_nmi, cfi_plain_cie
    push_frame
    int 2
    nop                                     ; the frame points here
    pop_frame
    ret
    cfi_end

; void arch_provoke_lost_gs(void)
align 16
    cfi_begin arch_provoke_lost_gs, cfi_plain_cie
    push_frame
    mov ecx, MSR_GS_BASE
    mov eax, 0xdead0000
    mov edx, 0x00001000
    wrmsr
    mov rax, [gs:8]                         ; #PF at the lost base
    pop_frame
    ret
    cfi_end

; void arch_provoke_lost_gate(void)
align 16
    cfi_begin arch_provoke_lost_gate, cfi_plain_cie
    push_frame
    sub rsp, 16
    sidt [rsp]
    mov rax, [rsp + 2]                      ; behind the limit: the table's address
    add rsp, 16
    mov qword [rax + VECTOR_PAGE_FAULT * GATE_BYTES], 0
    mov rax, UNMAPPED
    mov rax, [rax]                          ; #PF, which has no gate: #DF
    pop_frame
    ret
    cfi_end

; void arch_provoke_lost_tables(void)
align 16
    cfi_begin arch_provoke_lost_tables, cfi_plain_cie
    push_frame
    mov rdx, cr3
    mov rax, DIRECT_MAP
    mov qword [rax + rdx + DIRECT_MAP_ENTRY * 8], 0
    mov cr3, rdx                            ; nothing of it is remembered
    mov rax, [rax + 0x1000]                 ; #PF: the tables themselves are out of sight
    pop_frame
    ret
    cfi_end
