; programs.asm - the files of the user programs, as they are: program.c finds them by name.
;
; Each begins with a page, and the rest of its last one is zero, so that its pages can be mapped
; into programs.  build/programs.inc has a row `program "NAME", "FILE"` for each of kernel/user/*.c.

PAGE_BYTES equ 4096

; struct embedded_program of program.c: name, bytes, size
%macro program 2
[section .rodata.programs]
    align PAGE_BYTES, db 0
%%bytes:
    incbin %2
%%end:
[section .rodata.program_names]
%%name:
    db %1, 0
[section .rodata.program_table]
    dq %%name, %%bytes, %%end - %%bytes
%endmacro

section .rodata.programs progbits alloc noexec nowrite align=PAGE_BYTES
section .rodata.program_names progbits alloc noexec nowrite align=1
section .rodata.program_table progbits alloc noexec nowrite align=8
global program_table:data
program_table:
%include "programs.inc"

section .rodata.programs
    align PAGE_BYTES, db 0

section .rodata.program_table
    dq 0, 0, 0                              ; where the table ends
