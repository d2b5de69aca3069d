; ap_start.asm - from where a CPU begins (real mode, below 1 MiB) to smp_enter() in long mode.
;
; Only the few instructions in real mode are copied to low memory.  Everything else runs where it is
; linked, over the boot page tables: they show the image at its physical addresses too, and are left
; as soon as that is over.

%include "layout.inc"
%include "cfi.inc"

extern smp_enter
extern ap_start
extern boot_root

%define PHYSICAL(symbol) (symbol - KERNEL_BASE)

CR0_PE   equ 1 << 0
MSR_EFER equ 0xc0000080

AP_CODE_32 equ 0x08
AP_CODE_64 equ 0x10
AP_DATA    equ 0x18

section .kernel.boot progbits alloc exec nowrite align=16
    cfi_cies

; cs: the page that the startup message named, ip: 0 (SDM 3A 8.4.4.1).  Runs wherever it is copied.
bits 16
    cfi_begin ap_trampoline, cfi_plain_cie
    cfi_outermost
    cli
    cld
    o32 lgdt [cs:ap_gdt_pointer - ap_trampoline]
    mov eax, cr0
    or al, CR0_PE
    mov cr0, eax
    jmp dword AP_CODE_32:PHYSICAL(ap_protected)
ap_gdt_pointer:
    dw ap_gdt_end - ap_gdt - 1
    dd PHYSICAL(ap_gdt)
    times AP_TRAMPOLINE_BYTES - ($ - ap_trampoline) db 0
    cfi_end

; SDM 3A 9.8.5, with the registers of the first CPU.
bits 32
    cfi_begin ap_protected, cfi_plain_cie
    cfi_outermost
    mov eax, AP_DATA
    mov ds, eax
    mov eax, [PHYSICAL(ap_start) + AP_START_CR4]
    mov cr4, eax
    mov eax, PHYSICAL(boot_root)
    mov cr3, eax
    mov ecx, MSR_EFER
    mov eax, [PHYSICAL(ap_start) + AP_START_EFER]
    mov edx, [PHYSICAL(ap_start) + AP_START_EFER + 4]
    wrmsr
    mov eax, [PHYSICAL(ap_start) + AP_START_CR0]
    mov cr0, eax                            ; paging is on
    jmp AP_CODE_64:PHYSICAL(ap_long_mode)
    cfi_end

bits 64
    cfi_begin ap_long_mode, cfi_plain_cie
    cfi_outermost
    mov eax, AP_DATA
    mov ss, eax
    mov rax, ap_high_half                   ; leave the physical addresses
    jmp rax
ap_high_half:
    mov rax, [ap_start + AP_START_ROOT]
    mov cr3, rax                            ; ... which are not mapped any more
    mov rsp, [ap_start + AP_START_STACK]
    xor ebp, ebp                            ; ends the chain of frame pointers
    fninit                                  ; x87 and SSE as the ABI wants them
    ldmxcsr [ap_mxcsr_default]
    mov edi, [ap_start + AP_START_CPU]
    call smp_enter
    ud2                                     ; it must not return
    cfi_end

align 8
ap_gdt:
    dq 0
    dq 0x00cf9b000000ffff                   ; 32-bit code, accessed
    dq 0x00af9b000000ffff                   ; 64-bit code, accessed
    dq 0x00cf93000000ffff                   ; data, accessed
ap_gdt_end:
ap_mxcsr_default:
    dd 0x1f80                               ; SDM 1, 10.2.3: all exceptions masked
