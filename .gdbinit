# .gdbinit - for GDB at a live kernel: fewer round trips, a command that connects, and more of them
# that show what the kernel knows (scripts/gdb/trapline_commands.py).
#
# GDB started in this folder reads it, if the line  add-auto-load-safe-path FOLDER/.gdbinit  is in
# ~/.gdbinit; or start GDB with -x .gdbinit.  Stock GDB without it works as well, more slowly.

# Leave breakpoints in the kernel while it is stopped, instead of taking all out and putting all
# back at every stop.
set breakpoint always-inserted on

# The kernel prints what dprintf asks for, into its log and here, without stopping; and goes on when
# GDB has gone.
set dprintf-style agent

# Read code and constants from the ELF file: the kernel's page tables keep them from changing.  Turn
# it off if you doubt that.
set trust-readonly-sections on

# While the kernel is stopped, remember what was read of its image, stacks included.  Not below it:
# devices are there.  A HIGH of 0 is the end of memory.
mem 0 0xffffffff80000000 rw nocache
mem 0xffffffff80000000 0 rw cache

# What is remembered is read in pieces of 64 bytes.  A dump reads more at once, if nothing of it is.
set mem inaccessible-by-default off
define dump hook-memory
    disable mem
end
define dump hookpost-memory
    enable mem
end
define dump binary hook-memory
    disable mem
end
define dump binary hookpost-memory
    enable mem
end

# Know the registers without asking: the kernel's own description, kept in a file.  Registers are only
# ever added to it, so an older kernel lacks some, and none is taken for another.  For a target that is
# not Trapline:  unset tdesc filename
set tdesc filename scripts/gdb/target.xml

define trapline
    file build/kernel.elf
    target remote localhost:1234
end
document trapline
Connect to the kernel that `make run` has started.
end

# `trapline threads`, `trapline whatis ADDRESS`, ...: `help trapline` lists them.
define-prefix trapline
source -s scripts/gdb/trapline_commands.py

# `info threads` in a few packets instead of two for each thread.
source -s scripts/gdb/threads_command.py

# Threads, locks, queues and frames in words; `print/r` shows them as the compiler does.
source -s scripts/gdb/trapline_printers.py
