; entry.asm - the way into the kernel and out: 256 stubs, one common path, one struct trap_frame.
;
; A stub brings the stack to the same shape for every vector and names the vector.  The common path
; saves the registers in the order of frame.h, moves to the stack that the trap is to be handled on,
; calls arch_trap(frame) and returns to whatever the frame that it answers says.  Decides nothing.
; Every instruction carries its unwind rules.
;
; GS is swapped where the frame says user code, on the way in and on the way out.  Only
; syscall_entry reads through it: a trap that comes before the swap, or behind it, finds whatever GS
; there is, and needs none.

%include "layout.inc"
%include "cfi.inc"

extern arch_trap
extern arch_trap_stack

FLAGS_CLEAN equ 1 << 1                      ; the bit of rflags that is always set
STUB_BYTES equ 16                           ; idt.c finds stub n at trap_stubs + 16 n

section .text
    cfi_cies

; Hardware pushed ss, rsp, rflags, cs, rip and for some vectors an error code, on a stack that it
; had aligned to 16 (SDM 3A 6.14.2).
align STUB_BYTES
    cfi_begin trap_stubs, cfi_signal_cie
    cfi_bytes 0x0c, CFI_RSP, 40
    cfi_hardware_frame
%assign vector 0
%rep 256
    align STUB_BYTES, int3
%if vector > 0
    cfi_advance
%endif
%if vector < 32 && (VECTOR_ERROR_MASK >> vector) & 1
    cfi_cfa_offset 48
%else
    cfi_cfa_offset 40
    push byte 0                             ; in place of an error code
    cfi_advance
    cfi_cfa_offset 48
%endif
    push strict dword vector
    cfi_advance
    cfi_cfa_offset 56
    jmp near trap_common
%assign vector vector + 1
%endrep
    align STUB_BYTES, int3
    cfi_end

; push and pop one register of the frame, with their rules.
%macro save 2                               ; register, its number in the rules
    push %1
%assign depth depth + 8
    cfi_advance
    cfi_cfa_offset depth
    cfi_saved %2, depth
%endmacro
%macro restore 2
    pop %1
%assign depth depth - 8
    cfi_advance
    cfi_cfa_offset depth
    cfi_restored %2
%endmacro

; rsp -> vector, error code, hardware frame.
align 16
    cfi_begin trap_common, cfi_signal_cie
%assign depth 56
    cfi_bytes 0x0c, CFI_RSP, depth
    cfi_hardware_frame
    save rdi, CFI_RDI
    save rsi, CFI_RSI
    save rdx, CFI_RDX
    save rcx, CFI_RCX
    save rax, CFI_RAX
    save r8, CFI_R8
    save r9, CFI_R9
    save r10, CFI_R10
    save r11, CFI_R11
    save rbx, CFI_RBX
    save rbp, CFI_RBP
    save r12, CFI_R12
    save r13, CFI_R13
    save r14, CFI_R14
    save r15, CFI_R15
%if depth != FRAME_SIZE
%error the pushes above do not make a struct trap_frame
%endif
    test byte [rsp + FRAME_CS], 3           ; from user code: its GS is put away
    jz .kernel_gs
    swapgs
.kernel_gs:
    push byte FLAGS_CLEAN                   ; no DF, for the ABI; no AC, which would undo SMAP
    cfi_advance
    cfi_cfa_offset depth + 8
    popfq
    cfi_advance
    cfi_cfa_offset depth
    mov rdi, rsp                            ; the frame
    call arch_trap_stack                    ; rsp is a multiple of 16 here
    mov rsp, rax                            ; the same frame, perhaps on another stack
.handle:
    mov rdi, rsp
    call arch_trap
    mov rsp, rax                            ; the frame to go on with
    cmp dword [rsp + FRAME_VECTOR + 4], 0   ; RAISED: it has a trap of its own to be handled first
    jne .handle
    test byte [rsp + FRAME_CS], 3           ; to user code: its GS comes back
    jz .own_gs
    swapgs
.own_gs:
    restore r15, CFI_R15
    restore r14, CFI_R14
    restore r13, CFI_R13
    restore r12, CFI_R12
    restore rbp, CFI_RBP
    restore rbx, CFI_RBX
    restore r11, CFI_R11
    restore r10, CFI_R10
    restore r9, CFI_R9
    restore r8, CFI_R8
    restore rax, CFI_RAX
    restore rcx, CFI_RCX
    restore rdx, CFI_RDX
    restore rsi, CFI_RSI
    restore rdi, CFI_RDI
    add rsp, 16                             ; the vector and the error code
    cfi_advance
    cfi_cfa_offset 40
global trap_return:function                 ; a frame that iretq refuses faults here: exceptions.c
trap_return:
    iretq
    cfi_end

; What an interrupt pushes, of where SYSCALL was.
%macro push_hardware_frame 2                ; ss, cs
    push qword %1
    push qword [gs:TABLES_USER_RSP]
    push r11
    push qword %2
    push rcx
    cfi_advance
    cfi_cfa CFI_RSP, 40
    cfi_hardware_frame
%endmacro

; From there on as int 0x80.
%macro become_system_call 0
    push byte 0                             ; in place of an error code
    cfi_advance
    cfi_cfa_offset 48
    push strict dword VECTOR_SYSTEM_CALL
    cfi_advance
    cfi_cfa_offset 56
    jmp near trap_common
%endmacro

; Where SYSCALL comes (SDM 3A 5.8.8): rcx is the user's rip, r11 its rflags, rsp and GS still its
; own, interrupts off.  Makes the frame that int 0x80 would have made.  There is no SYSRET on the
; way back: iretq restores every register and has none of its pitfalls.
align 16
    cfi_begin syscall_entry, cfi_signal_cie
    cfi_bytes 0x0c, CFI_RSP, 0
    cfi_bytes 0x09, CFI_RIP, CFI_RCX        ; DW_CFA_register: rip is in rcx
    cfi_bytes 0x09, CFI_RFLAGS, CFI_R11
    test rcx, rcx
    js syscall_from_kernel
    swapgs
    mov [gs:TABLES_USER_RSP], rsp
    mov rsp, [gs:TABLES_KERNEL_RSP]         ; TSS.rsp0
    cfi_advance
    cfi_bytes 0x07, CFI_RSP                 ; DW_CFA_undefined, until it is pushed
    push_hardware_frame SELECTOR_USER_DATA, SELECTOR_USER_CODE
    swapgs                                  ; trap_common puts it away, by what cs says
    become_system_call
    cfi_end

; The same, of code in the kernel's half: its stack and GS are the kernel's.
align 16
    cfi_begin syscall_from_kernel, cfi_signal_cie
    cfi_bytes 0x0c, CFI_RSP, 0
    cfi_bytes 0x09, CFI_RIP, CFI_RCX
    cfi_bytes 0x09, CFI_RFLAGS, CFI_R11
    mov [gs:TABLES_USER_RSP], rsp
    cfi_advance
    cfi_bytes 0x07, CFI_RSP
    and rsp, -16                            ; as hardware does
    push_hardware_frame SELECTOR_KERNEL_DATA, SELECTOR_KERNEL_CODE
    become_system_call
    cfi_end

; void arch_panic(const char *message): a trap without hardware.  Makes the frame that an exception
; behind the call would have made, with the message in the error code's place.
align 16
    cfi_begin arch_panic, cfi_plain_cie
    mov rax, [rsp]                          ; where to go on
    lea rcx, [rsp + 8]                      ; the caller's stack pointer
    cfi_advance
    cfi_cfa CFI_RCX, 0
    and rsp, -16                            ; as hardware does
    push qword SELECTOR_KERNEL_DATA
    push rcx
    pushfq
    push qword SELECTOR_KERNEL_CODE
    push rax
    cli                                     ; as an interrupt gate does
    push rdi                                ; the message
    push strict dword VECTOR_PANIC
    jmp near trap_common
    cfi_end
