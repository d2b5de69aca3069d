; calls.asm - calls that the ABI does not know: on another stack, or with a way out.

%include "layout.inc"
%include "cfi.inc"

section .text
    cfi_cies

; void call_on_stack(void *top, void (*function)(void *), void *argument): and come back.
; A signal frame to unwinders, which do not accept any other frame that changes stacks.
align 16
    cfi_begin call_on_stack, cfi_signal_cie
    cfi_cfa CFI_RSP, 8
    cfi_bytes 0x80 | CFI_RIP, 1
    push rbp
    cfi_advance
    cfi_cfa_offset 16
    cfi_saved CFI_RBP, 16
    mov rbp, rsp                            ; the way back
    cfi_advance
    cfi_cfa CFI_RBP, 16
    mov rsp, rdi                            ; top is a multiple of 16
    mov rdi, rdx
    call rsi
    mov rsp, rbp
    cfi_advance
    cfi_cfa CFI_RSP, 16
    pop rbp
    cfi_advance
    cfi_cfa_offset 8
    cfi_restored CFI_RBP
    ret
    cfi_end

; _Noreturn void arch_run_on_stack(void *top, void (*function)(void *), void *argument)
; Where a thread begins: backtraces end here.
align 16
    cfi_begin arch_run_on_stack, cfi_plain_cie
    cfi_outermost
    mov rsp, rdi
    mov rdi, rdx
    xor ebp, ebp                            ; ends the chain of frame pointers, too
    call rsi
    ud2                                     ; the function must not return
    cfi_end

; bool guarded_call(void (*function)(void *), void *argument, struct guard_context *context)
; 1: the function returned.  0: somebody jumped to guarded_call_escape with rdi = context.
align 16
    cfi_begin guarded_call, cfi_plain_cie
    mov [rdx + GUARD_RBX], rbx
    mov [rdx + GUARD_RBP], rbp
    mov [rdx + GUARD_R12], r12
    mov [rdx + GUARD_R13], r13
    mov [rdx + GUARD_R14], r14
    mov [rdx + GUARD_R15], r15
    mov [rdx + GUARD_RSP], rsp              ; the return address is there
    sub rsp, 8                              ; align for the call
    cfi_advance
    cfi_cfa_offset 16
    mov rax, rdi
    mov rdi, rsi
    call rax
    add rsp, 8
    cfi_advance
    cfi_cfa_offset 8
    mov eax, 1
    ret
    cfi_end

; Entered by returning from a trap (guard.c), on the stack of the guarded_call.
    cfi_begin guarded_call_escape, cfi_plain_cie
    mov rbx, [rdi + GUARD_RBX]
    mov rbp, [rdi + GUARD_RBP]
    mov r12, [rdi + GUARD_R12]
    mov r13, [rdi + GUARD_R13]
    mov r14, [rdi + GUARD_R14]
    mov r15, [rdi + GUARD_R15]
    xor eax, eax
    ret
    cfi_end

; void arch_breakpoint(void)
align 16
    cfi_begin arch_breakpoint, cfi_plain_cie
    int3
    ret
    cfi_end

; void arch_yield(void)
align 16
    cfi_begin arch_yield, cfi_plain_cie
    int VECTOR_YIELD
    ret
    cfi_end

; Where a kernel thread begins, from a frame: its function in rdi, the argument in rsi.
align 16
    cfi_begin thread_begin, cfi_plain_cie
    cfi_outermost
    xor ebp, ebp                            ; ends the chain of frame pointers, too
    mov rax, rdi
    mov rdi, rsi
    call rax
    ud2                                     ; the function must not return
    cfi_end

; void reload_segments(void): load the selectors that a new GDT gives (SDM 3A 3.4.3).
align 16
    cfi_begin reload_segments, cfi_plain_cie
    mov eax, SELECTOR_KERNEL_DATA
    mov ss, eax
    xor eax, eax                            ; null selectors do for data in long mode
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    pop rax
    cfi_advance
    cfi_cfa_offset 0
    cfi_bytes 0x09, CFI_RIP, CFI_RAX        ; DW_CFA_register: rip is in rax
    push qword SELECTOR_KERNEL_CODE
    cfi_advance
    cfi_cfa_offset 8
    push rax
    cfi_advance
    cfi_cfa_offset 16
    retfq
    cfi_end
