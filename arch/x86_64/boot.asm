; boot.asm - from what a boot loader leaves (32-bit protected mode, no paging) to kernel_main() in
; long mode.  Two ways in, multiboot2 and PVH, which differ in a magic number only.
;
; Makes boot page tables (the first 4 GiB at 0 and in the direct map, and the image where it is
; linked), which arch_init_memory() replaces; other CPUs come the same
; way (ap_start.asm).  The 32-bit code runs at its physical addresses, so
; every symbol in it is written through PHYSICAL().

%include "layout.inc"
%include "cfi.inc"

extern boot_info_init
extern kernel_main
extern __image_start

%define PHYSICAL(symbol) (symbol - KERNEL_BASE)

MULTIBOOT2_HEADER_MAGIC equ 0xe85250d6
PVH_MAGIC               equ 0x336ec578      ; hvm_start_info.magic, which eax does not hold

PAGE_PRESENT equ 1 << 0
PAGE_WRITE   equ 1 << 1
PAGE_LARGE   equ 1 << 7
TABLE        equ PAGE_PRESENT | PAGE_WRITE ; an entry that points to a table

CR0_MP  equ 1 << 1
CR0_EM  equ 1 << 2
CR0_NE  equ 1 << 5
CR0_WP  equ 1 << 16
CR0_PG  equ 1 << 31
CR4_PAE equ 1 << 5
CR4_MCE        equ 1 << 6
CR4_OSFXSR     equ 1 << 9
CR4_OSXMMEXCPT equ 1 << 10
MSR_EFER equ 0xc0000080
EFER_LME equ 1 << 8
EFER_NXE equ 1 << 11
CPUID_NX equ 1 << 20                        ; of leaf 0x80000001, edx
CPUID_LM equ 1 << 29

BOOT_CODE equ 0x08
BOOT_DATA equ 0x10

; The multiboot2 header (specification 3.1): no requests, the ELF headers say the rest.
[section .multiboot2 progbits alloc noexec nowrite align=8]
multiboot2_header:
    dd MULTIBOOT2_HEADER_MAGIC
    dd 0                                    ; i386, protected mode
    dd multiboot2_header_end - multiboot2_header
    dd 0x100000000 - (MULTIBOOT2_HEADER_MAGIC + (multiboot2_header_end - multiboot2_header))
    dw 0, 0                                 ; the end tag
    dd 8
multiboot2_header_end:

; The note that QEMU and Xen look for: the entry for PVH guests (Xen, docs/misc/pvh.pandoc).
[section .note.pvh note alloc noexec nowrite align=4]
    dd 4, 8, 18                             ; name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dq PHYSICAL(pvh_start)

section .kernel.boot progbits alloc exec nowrite align=16
    cfi_cies

bits 32
    cfi_begin pvh_start, cfi_plain_cie
    cfi_outermost
    mov eax, PVH_MAGIC
    jmp start
    cfi_end

; eax: magic; ebx: physical address of what the loader says.
    cfi_begin multiboot2_start, cfi_plain_cie
    cfi_outermost
start:
    cli
    cld
    mov esp, PHYSICAL(boot_stack_top)
    mov esi, eax                            ; cpuid takes eax and ebx
    mov edi, ebx

    mov eax, 0x80000000                     ; is there long mode?
    cpuid
    cmp eax, 0x80000001
    jb no_long_mode
    mov eax, 0x80000001
    cpuid
    test edx, CPUID_LM
    jz no_long_mode
    mov ebp, edx                            ; for NX, below

    mov ecx, 4 * 512                        ; 4 GiB in pages of 2 MiB
    mov ebx, PHYSICAL(boot_directories)
    mov eax, PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE
fill_directories:
    mov [ebx], eax
    add ebx, 8
    add eax, 2 << 20
    loop fill_directories

    mov ecx, 4
    mov ebx, PHYSICAL(boot_low_pointers)
    mov eax, PHYSICAL(boot_directories) + TABLE
fill_pointers:
    mov [ebx], eax
    add ebx, 8
    add eax, 4096
    loop fill_pointers

    ; The last 2 GiB are the first 2 GiB of memory again.
    mov dword [PHYSICAL(boot_high_pointers) + 510 * 8], PHYSICAL(boot_directories) + TABLE
    mov dword [PHYSICAL(boot_high_pointers) + 511 * 8], PHYSICAL(boot_directories) + 4096 + TABLE
    mov dword [PHYSICAL(boot_root)], PHYSICAL(boot_low_pointers) + TABLE
    mov dword [PHYSICAL(boot_root) + 256 * 8], PHYSICAL(boot_low_pointers) + TABLE
    mov dword [PHYSICAL(boot_root) + 511 * 8], PHYSICAL(boot_high_pointers) + TABLE

    ; SDM 3A 9.8.5: PAE, the root, LME, then paging.
    mov eax, CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT
    mov cr4, eax
    mov eax, PHYSICAL(boot_root)
    mov cr3, eax
    mov ecx, MSR_EFER
    rdmsr
    or eax, EFER_LME
    test ebp, CPUID_NX
    jz efer_complete
    or eax, EFER_NXE
efer_complete:
    wrmsr
    mov eax, cr0
    and eax, ~CR0_EM
    or eax, CR0_PG | CR0_WP | CR0_NE | CR0_MP
    mov cr0, eax
    lgdt [PHYSICAL(boot_gdt_pointer)]
    jmp BOOT_CODE:PHYSICAL(long_mode)

no_long_mode:                               ; nobody to tell but the serial line
    mov ebx, PHYSICAL(no_long_mode_text)
    mov dx, 0x3f8
.next:
    mov al, [ebx]
    test al, al
    jz .halt
    out dx, al
    inc ebx
    jmp .next
.halt:
    hlt
    jmp .halt
    cfi_end

no_long_mode_text:
    db 13, 10, "trapline: this processor has no 64-bit mode", 13, 10, 0

bits 64
    cfi_begin long_mode, cfi_plain_cie
    cfi_outermost
    mov eax, BOOT_DATA
    mov ss, eax
    mov ds, eax
    mov es, eax
    mov rax, high_half                      ; leave the physical addresses
    jmp rax
high_half:
    mov rsp, boot_stack_top
    xor ebp, ebp                            ; ends the chain of frame pointers
    fninit                                  ; x87 and SSE as the ABI wants them
    ldmxcsr [mxcsr_default]
    xchg edi, esi                           ; magic, physical address
    call boot_info_init
    call kernel_main
    ud2                                     ; it must not return
    cfi_end

align 8
boot_gdt:
    dq 0
    dq 0x00af9b000000ffff                   ; 64-bit code, accessed
    dq 0x00cf93000000ffff                   ; data, accessed
boot_gdt_pointer:
    dw $ - boot_gdt - 1
    dd PHYSICAL(boot_gdt)
mxcsr_default:
    dd 0x1f80                               ; SDM 1, 10.2.3: all exceptions masked

[section .bss.boot nobits alloc noexec write align=4096]
global boot_root
boot_root:          resb 4096
boot_low_pointers:  resb 4096
boot_high_pointers: resb 4096
boot_directories:   resb 4 * 4096

; The stack of boot and then of the main thread; regions.c names it, paging.c takes the guard away.
global boot_stack
global boot_stack_top
boot_stack_guard:   resb 4096
boot_stack:         resb 16 * 1024
boot_stack_top:
