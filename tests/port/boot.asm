; boot.asm - the second kernel's way from PVH's entry (32-bit, no paging) to kernel_main(), and from
; any trap to trap().
;
; Memory is mapped where it is: addresses are physical ones, from 2 MiB to MEMORY_END.  What lies
; below is not mapped, so that null pointers fault.

extern kernel_main
extern trap

MEMORY_END   equ 64 << 20                   ; kernel.c has it, too
STACK        equ 16 << 10
FRAME        equ 22 * 8                     ; struct frame of kernel.c
VECTORS      equ 48                         ; exceptions, and the interrupts of two 8259

PAGE_PRESENT equ 1 << 0
PAGE_WRITE   equ 1 << 1
PAGE_LARGE   equ 1 << 7
TABLE        equ PAGE_PRESENT | PAGE_WRITE

; The note that QEMU looks for: the entry for PVH guests (Xen, docs/misc/pvh.pandoc).
section .note.pvh note alloc noexec nowrite align=4
    dd 4, 8, 18                             ; name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
    db "Xen", 0
    dq start

section .text
bits 32
global start
start:
    mov edi, directory + 8                  ; the first 2 MiB stay absent
    mov eax, (2 << 20) | PAGE_PRESENT | PAGE_WRITE | PAGE_LARGE
.fill:
    mov [edi], eax
    add edi, 8
    add eax, 2 << 20
    cmp eax, MEMORY_END
    jb .fill
    mov dword [pointers], directory + TABLE
    mov dword [root], pointers + TABLE

    mov eax, 1 << 5                         ; PAE, the root, LME, paging (SDM 3A 9.8.5)
    mov cr4, eax
    mov eax, root
    mov cr3, eax
    mov ecx, 0xc0000080                     ; IA32_EFER
    rdmsr
    or eax, 1 << 8
    wrmsr
    mov eax, cr0
    or eax, (1 << 31) | (1 << 16)           ; PG, WP
    mov cr0, eax
    lgdt [gdt_pointer]
    jmp 0x08:long_mode

bits 64
long_mode:
    mov eax, 0x10
    mov ss, eax
    mov ds, eax
    mov es, eax
    mov rsp, stack_top
    xor ebp, ebp
    push 0                                  ; a return address where backtraces end,
    push 0                                  ; and the alignment that the ABI wants
    call kernel_main
    ud2                                     ; it does not return

; Entries of 16 bytes each, so that kernel.c finds them: push an error code where the processor
; pushes none (SDM 3A 6.15), and the vector.
section .debugger progbits alloc exec nowrite align=16
global entries
entries:
%assign vector 0
%rep VECTORS
    align 16
%if vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
    push 0
%endif
    push vector
    jmp save
%assign vector vector + 1
%endrep

; GDB's calls of functions overwrite what is below the interrupted stack pointer: so the frame moves
; to a stack of the debugger's own, unless what trapped runs there already.
save:
    push r15
    push r14
    push r13
    push r12
    push r11
    push r10
    push r9
    push r8
    push rbp
    push rdi
    push rsi
    push rdx
    push rcx
    push rbx
    push rax
    cld
    cmp rsp, debugger_stack
    jb .move
    cmp rsp, debugger_stack_top
    jb .there
.move:
    mov rsi, rsp
    mov edi, debugger_stack_top - FRAME
    mov rsp, rdi
    mov ecx, FRAME / 8
    rep movsq
.there:
    mov rdi, rsp                            ; a multiple of 16: the processor aligns its frames
    call trap
    pop rax
    pop rbx
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    pop rbp
    pop r8
    pop r9
    pop r10
    pop r11
    pop r12
    pop r13
    pop r14
    pop r15
    add rsp, 16                             ; vector, error code
    iretq

; What compilers call; the System V ABI's arguments are those of the string instructions.
global memcpy:function, memmove:function, memset:function, memcmp:function
memmove:
    cmp rdi, rsi
    jbe memcpy
    lea rax, [rsi + rdx]
    cmp rdi, rax
    jae memcpy
    mov rax, rdi
    mov rcx, rdx
    lea rdi, [rdi + rdx - 1]                ; the end first
    lea rsi, [rsi + rdx - 1]
    std
    rep movsb
    cld
    ret
memcpy:
    mov rax, rdi
    mov rcx, rdx
    rep movsb
    ret
memset:
    mov r8, rdi
    mov eax, esi
    mov rcx, rdx
    rep stosb
    mov rax, r8
    ret
memcmp:
    xor eax, eax
    mov rcx, rdx
    cmp rcx, rcx                            ; equal, if there is nothing
    repe cmpsb
    je .equal
    movzx eax, byte [rdi - 1]
    movzx ecx, byte [rsi - 1]
    sub eax, ecx
.equal:
    ret

section .rodata
align 8
gdt:
    dq 0
    dq 0x00af9b000000ffff                   ; 64-bit code
    dq 0x00cf93000000ffff                   ; data
gdt_pointer:
    dw $ - gdt - 1
    dd gdt

section .bss
alignb 4096
root:           resb 4096
pointers:       resb 4096
directory:      resb 4096
                resb STACK
global stack_top
stack_top:
debugger_stack: resb STACK
debugger_stack_top:
