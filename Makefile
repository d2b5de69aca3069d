# Makefile - builds Trapline, runs it, checks it.  `make help` lists the targets.
#
# One file, no recursion: an object's name is its source's name plus .o, under build/obj/.  What a
# file was made with (compiler, flags, list of objects, command line) is part of what it depends
# on, so switching between gcc and clang never mixes their objects.  V=1 shows whole commands.

BUILD ?= build
APPEND ?=
TIME ?= 60
ifeq ($(origin CC),default)
CC := gcc
endif
PYTHON := /usr/bin/python3
Q := $(if $(V),,@)
# One line for each step; the demo tells a story of its own.
say := @$(if $(filter demo,$(MAKECMDGOALS)),:,echo)
comma := ,

# What needs more than a compiler installs what is missing, before anything else is looked at.
ifneq ($(filter run debug demo check analyze test fuzz soak coverage bench,$(MAKECMDGOALS)),)
ifneq ($(shell scripts/setup >&2 && echo ready),ready)
$(error scripts/setup could not install what is missing)
endif
endif

# ---- Sources ----

LEAVES := trap gdbstub crashdump
FOLDERS := kernel arch/x86_64 $(LEAVES)
SOURCES := $(sort $(foreach folder,$(FOLDERS),$(wildcard $(folder)/*.c $(folder)/*.asm)))
LEAF_SOURCES := $(filter $(LEAVES:%=%/%.c),$(SOURCES))
OBJECTS := $(SOURCES:%=$(BUILD)/obj/%.o)
LEAF_OBJECTS := $(LEAF_SOURCES:%=$(BUILD)/obj/%.o)
LINKER_SCRIPTS := $(wildcard arch/x86_64/*.ld)

# ---- Flags ----

MACHINE := -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -fcf-protection=none \
	-fno-stack-protector -fno-common
# The kernel keeps its hands off the FPU, and its frames where debuggers can find them.
# The leaves stand alone, so they do without the stack protector and the sanitizer.
CFLAGS := -std=c11 -ffreestanding -O2 -gdwarf-4 $(MACHINE) -mgeneral-regs-only \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls -fasynchronous-unwind-tables \
	-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wmissing-prototypes \
	-Wno-enum-enum-conversion -Werror -I.
LEAF_CFLAGS := -Wframe-larger-than=1024
# The two libraries are to be small: without frame pointers, as unwind tables tell debuggers the same,
# and compiled for size, but for where they do most of their work.
LIBRARY_SOURCES := $(filter gdbstub/% crashdump/%,$(LEAF_SOURCES))
LIBRARY_CFLAGS := -fomit-frame-pointer
SMALL_CFLAGS := -Oz
FAST_SOURCES := gdbstub/agent_run.c crashdump/crc32c.c
KERNEL_CFLAGS := -fstack-protector-strong -mstack-protector-guard=global
ifeq ($(SAN),ubsan)
KERNEL_CFLAGS += -fsanitize=undefined -fsanitize-undefined-trap-on-error
endif
ASFLAGS := -f elf64 -g -F dwarf -I $(BUILD)/ -I arch/x86_64/
LDFLAGS := -nostdlib -static --build-id=sha1 -z noexecstack -z max-page-size=4096 \
	--no-warn-rwx-segments
APP_FLAGS := -std=gnu11 -g -fno-builtin $(MACHINE) -I. -nostdlib -static -no-pie \
	-Wl,-T,$(BUILD)/app.ld -Wl,--build-id=sha1 -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments
HOST_CHECKS := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_CFLAGS = -std=gnu11 -g $(HOST_CHECKS) -Wall -Werror -I.
FUZZ_CFLAGS := -std=gnu11 -g -O2 -fsanitize=address,undefined -fno-sanitize-recover=all -I. \
	-Itests/host
USER_TIDY_FLAGS := -std=gnu11 -ffreestanding $(USER_MACHINE) -I.
TIDY_FLAGS := -std=c11 -ffreestanding $(MACHINE) -mgeneral-regs-only -I.

# Programs for user mode; not only they, but what is compiled for them, may use floating point.
USER_MACHINE := -fno-pic -fno-pie -mno-red-zone -fcf-protection=none -fno-stack-protector \
	-fno-common
USER_CFLAGS := -std=gnu11 -ffreestanding -fno-builtin -O2 -gdwarf-4 $(USER_MACHINE) \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls -fasynchronous-unwind-tables \
	-Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Werror -I.

# The second kernel's own.
PORT_CFLAGS := -std=gnu11 -ffreestanding -O2 -g -fno-optimize-sibling-calls -fno-pic -fno-pie \
	-mno-red-zone -mgeneral-regs-only -fcf-protection=none -fno-stack-protector \
	-Wall -Wextra -Wno-unused-parameter -Werror -I.

.DEFAULT_GOAL := $(if $(APP),app,all)
.DELETE_ON_ERROR:
.SUFFIXES:
FORCE:

.PHONY: all iso help clean
all: $(BUILD)/kernel.elf $(BUILD)/kernel.iso ## build/kernel.elf and build/kernel.iso (the default)
iso: $(BUILD)/kernel.iso ## build/kernel.iso; APPEND="..." is its command line

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 14

clean: ## remove build/
	rm -rf $(BUILD)

# Files that hold how things are made, rewritten only when that changes.  What an object's own
# variables would change is fixed here: they reach what the object depends on.
compiling := $(CC) $(CFLAGS) $(LEAF_CFLAGS) $(LIBRARY_CFLAGS) $(SMALL_CFLAGS) $(KERNEL_CFLAGS) $(ASFLAGS) $(HOST_CFLAGS) $(USER_CFLAGS) $(PORT_CFLAGS) \
	$(FUZZ_CFLAGS)
linking = $(LDFLAGS) $(OBJECTS)
including = $(USER_PROGRAMS)
booting = $(APPEND)
$(BUILD)/%.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$($*)' | cmp -s - $@ || echo '$($*)' >$@

# ---- The kernel ----

$(LEAF_OBJECTS): CFLAGS += $(LEAF_CFLAGS)
$(LIBRARY_SOURCES:%=$(BUILD)/obj/%.o): CFLAGS += $(LIBRARY_CFLAGS)
$(patsubst %,$(BUILD)/obj/%.o,$(filter-out $(FAST_SOURCES),$(LIBRARY_SOURCES))): \
	CFLAGS += $(SMALL_CFLAGS)
$(filter-out $(LEAF_OBJECTS),$(OBJECTS)): CFLAGS += $(KERNEL_CFLAGS)
$(BUILD)/obj/%.c.o: %.c $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(say) "cc    $<"
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# NASM keeps the names of macro-local labels, which debuggers would take for functions, and does not
# say that the stack need not be executable.
$(BUILD)/obj/%.asm.o: %.asm $(BUILD)/layout.inc $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(say) "nasm  $<"
	$(Q)nasm $(ASFLAGS) -MD $(@:.o=.d) -MP -MT $@ -o $@ $<
	$(Q)objcopy --wildcard --strip-symbol='..@*' --add-section .note.GNU-stack=/dev/null $@

# Offsets and constants of C, for NASM.
$(BUILD)/layout.s: scripts/layout.c $(BUILD)/compiling.stamp
	$(Q)$(CC) $(CFLAGS) -MMD -MP -MT $@ -S -o $@ $<
$(BUILD)/layout.inc: $(BUILD)/layout.s scripts/layout.py
	$(Q)$(PYTHON) scripts/layout.py $< >$@

$(BUILD)/kernel.elf: $(LINKER_SCRIPTS) $(OBJECTS) $(BUILD)/linking.stamp
	$(say) "ld    $@"
	$(Q)ld $(LDFLAGS) -T arch/x86_64/kernel.ld -o $@ $(OBJECTS)

$(BUILD)/kernel.iso: $(BUILD)/kernel.elf scripts/grub.cfg $(BUILD)/booting.stamp
	$(say) "grub  $@"
	$(Q)rm -rf $(BUILD)/iso
	$(Q)mkdir -p $(BUILD)/iso/boot/grub
	$(Q)cp $(BUILD)/kernel.elf $(BUILD)/iso/boot/
	$(Q)sed "s|@APPEND@$$|$$(printf '%-1024s' '$(APPEND)')|" scripts/grub.cfg \
		>$(BUILD)/iso/boot/grub/grub.cfg
	$(Q)grub-mkrescue --locales= --fonts= --themes= -o $@ $(BUILD)/iso 2>$(BUILD)/iso.log || \
		{ cat $(BUILD)/iso.log; exit 1; }

# ---- User programs: each kernel/user/NAME.c with its NAME_*.c and the library ----

USER_SOURCES := $(sort $(wildcard kernel/user/*.c))
USER_LIBRARY := $(wildcard kernel/user/library/*.c) kernel/format.c kernel/mem.c kernel/string.c
USER_OBJECTS := $(patsubst %,$(BUILD)/user/obj/%.o,$(USER_SOURCES) $(USER_LIBRARY))
USER_PROGRAMS := $(foreach name,$(USER_SOURCES:kernel/user/%.c=%),$(if $(findstring _,$(name)),,$(name)))
USER_IMAGES := $(USER_PROGRAMS:%=$(BUILD)/user/%.image)

.PHONY: user
user: $(USER_PROGRAMS:%=$(BUILD)/user/%.elf) ## build/user/*.elf: the user programs, with symbols

$(BUILD)/user/obj/%.c.o: %.c $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(say) "cc    $< (user)"
	$(Q)$(CC) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/user/library.a: $(USER_LIBRARY:%=$(BUILD)/user/obj/%.o)
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# A program's place among all is where it is linked: no two share an address.
define user_program
place += x
$(BUILD)/user/$(1).elf: PLACE := $$(words $$(place))
$(BUILD)/user/$(1).elf: $(patsubst %,$(BUILD)/user/obj/%.o,\
	kernel/user/$(1).c $(wildcard kernel/user/$(1)_*.c))
endef
place :=
$(foreach name,$(USER_PROGRAMS),$(eval $(call user_program,$(name))))

$(BUILD)/user/%.elf: $(BUILD)/user/library.a kernel/user/program.ld $(BUILD)/including.stamp
	$(say) "ld    $@"
	$(Q)ld $(filter-out --build-id%,$(LDFLAGS)) --defsym=PROGRAM_PLACE=$(PLACE) -T kernel/user/program.ld -o $@ \
		$(filter %.o,$^) $(BUILD)/user/library.a

# What the kernel has of them: no symbols.
$(BUILD)/user/%.image: $(BUILD)/user/%.elf
	$(Q)objcopy --strip-all $< $@

$(BUILD)/programs.inc: $(BUILD)/including.stamp
	$(Q)printf 'program "%s", "$(BUILD)/user/%s.image"\n' $(foreach name,$(USER_PROGRAMS),$(name) $(name)) >$@
$(BUILD)/obj/kernel/programs.asm.o: $(BUILD)/programs.inc $(USER_IMAGES)

# ---- Applications: programs that become the kernel's main thread (kernel/app.h) ----

OUT ?= $(BUILD)/app.elf
.PHONY: app app-kernel
app: app-kernel ## APP="a.c b.o" OUT=FILE [APP_CFLAGS=...]: a kernel that runs their main()
	$(if $(APP),,$(error make app needs APP="FILE..."))
	$(say) "cc    $(OUT)"
	$(Q)$(CC) $(APP_FLAGS) $(APP_CFLAGS) -o $(OUT) $(BUILD)/app-kernel.o $(APP)

app-kernel: $(BUILD)/app-kernel.o $(BUILD)/app.ld ## build/app-kernel.o and build/app.ld

# Nothing of the kernel's may meet a program's names: what is not the interface becomes local and
# kernel.NAME.  The four functions that compilers call stay global under that name, and the linker
# script lends them to programs that do not bring their own.
COMPILER_CALLS := memcpy memmove memset memcmp
$(BUILD)/app-kernel.o: $(LINKER_SCRIPTS) $(OBJECTS) kernel/app.h $(BUILD)/linking.stamp
	$(say) "ld    $@"
	$(Q)ld -r -T arch/x86_64/partial.ld -o $@ $(OBJECTS)
	$(Q){ sed -n 's/^ENTRY(\(.*\))/\1/p' arch/x86_64/kernel.ld; \
		grep -o 'kapp_[a-z]*' kernel/app.h; \
		printf 'kernel.%s\n' $(COMPILER_CALLS); } >$(BUILD)/app-global.txt
	$(Q)nm --defined-only --format=just-symbols $@ | sort -u | grep -vxFf $(BUILD)/app-global.txt | \
		sed 's/.*/& kernel.&/' >$(BUILD)/app-renamed.txt
	$(Q)objcopy --strip-debug --redefine-syms=$(BUILD)/app-renamed.txt \
		--keep-global-symbols=$(BUILD)/app-global.txt $@

$(BUILD)/app.ld: arch/x86_64/kernel.ld
	$(Q){ sed '/INCLUDE/d' $<; printf 'PROVIDE(%s = kernel.%s);\n' \
		$(foreach name,$(COMPILER_CALLS),$(name) $(name)); } >$@

# ---- Kernels with a test's file in them, which may call all of the kernel ----

.PHONY: kernel-with
kernel-with: $(OBJECTS) $(LINKER_SCRIPTS) # WITH=a.c OUT=FILE
	$(Q)$(CC) $(CFLAGS) -c -o $(OUT).o $(WITH)
	$(Q)ld $(LDFLAGS) -T arch/x86_64/kernel.ld -o $(OUT) $(OBJECTS) $(OUT).o

# The smallest stub that gdbstub/config.h makes.
SMALL_STUB := $(patsubst %,gdbstub/%.c,answer args breakpoints format framing handshake hex memory \
	packets points registers reply resume session stop)
SMALL_DEFINES := $(shell sed -n 's/^\#define \(GDBSTUB_WITH_[A-Z]*\) 1$$/-D\1=0/p' gdbstub/config.h)

# ---- The second kernel: its own boot, flags and layout, the same two libraries ----

PORT_SOURCES := tests/port/boot.asm $(wildcard tests/port/*.c crashdump/*.c)

.PHONY: port
port: $(BUILD)/port/kernel.elf $(BUILD)/port-small/kernel.elf ## the second kernel (tests/port/), and with the smallest stub

define port_kernel # FOLDER, FILES OF GDBSTUB
$(BUILD)/$1/%.c.o: %.c $(BUILD)/compiling.stamp
	@mkdir -p $$(@D)
	$$(say) "cc    $$< ($1)"
	$$(Q)$$(CC) $$(PORT_CFLAGS) -MMD -MP -c -o $$@ $$<

$(BUILD)/$1/%.asm.o: %.asm
	@mkdir -p $$(@D)
	$$(say) "nasm  $$< ($1)"
	$$(Q)nasm -f elf64 -o $$@ $$<

$(BUILD)/$1/kernel.elf: $(patsubst %,$(BUILD)/$1/%.o,$(PORT_SOURCES) $2) tests/port/kernel.ld
	$$(say) "ld    $$@"
	$$(Q)ld -nostdlib -static --build-id=sha1 -z noexecstack --no-warn-rwx-segments \
		-T tests/port/kernel.ld -o $$@ $$(filter %.o,$$^)
endef
$(eval $(call port_kernel,port,$(wildcard gdbstub/*.c)))
$(eval $(call port_kernel,port-small,$(SMALL_STUB)))
$(BUILD)/port-small/%: PORT_CFLAGS += $(SMALL_DEFINES)

# ---- Running ----

.PHONY: run debug demo
run: all ## boot the ISO: console here, GDB at localhost:1234
	scripts/qemu.py --iso $(BUILD)/kernel.iso --gdb tcp:1234

debug: all ## boot stopped in kernel_main, GDB attached, interactive
	@scripts/debug.py $(BUILD)/kernel.elf --append '$(APPEND)'

demo: all ## the main job from boot to decoded crash, unattended
	@scripts/demo.py

# ---- Checks and tests ----

CHECKS := includes text format headers symbols
.PHONY: check $(CHECKS:%=check-%)
TIDY := $(patsubst %,$(BUILD)/tidy/%.ok,$(filter %.c,$(SOURCES)))
FORMATTED := $(wildcard $(foreach folder,arch $(FOLDERS) kernel/user kernel/user/library scripts \
	tests/host tests/fuzz tests/port,\
	$(folder)/*.c $(folder)/*.h))
USER_TIDY := $(USER_SOURCES:%=$(BUILD)/tidy/user/%.ok) \
	$(patsubst %,$(BUILD)/tidy/user/%.ok,$(wildcard kernel/user/library/*.c))
check: $(CHECKS:%=check-%) $(TIDY) $(USER_TIDY) ## static checks only
check-includes check-text check-headers:
	scripts/$(subst -,_,$@).py
check-symbols: $(LEAF_OBJECTS)
	scripts/check_symbols.py $(LEAVES:%=$(BUILD)/obj/%)
check-format: # other versions see some macros otherwise
	@clang-format --version
	$(Q)if clang-format --version | grep -q 'version 14\.'; \
		then clang-format --dry-run --Werror $(FORMATTED); \
		else echo "skipped: the sources are formatted by version 14"; fi

$(BUILD)/tidy/%.ok: % $(BUILD)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	$(say) "tidy  $<"
	$(Q)clang-tidy --quiet $< -- $(TIDY_FLAGS) 2>$@.log || { cat $@.log; exit 1; }
	$(Q)touch $@

$(BUILD)/tidy/user/%.ok: % $(BUILD)/user/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	$(say) "tidy  $<"
	$(Q)clang-tidy --quiet $< -- $(USER_TIDY_FLAGS) 2>$@.log || { cat $@.log; exit 1; }
	$(Q)touch $@

# What takes longer.  provoke.c fails on purpose; the linker's symbols delimit arrays that C does not
# know; cppcheck does not see that find() of agents.c sets what its loop reads; gcc 12 takes structs
# that functions return for uninitialized when it has split them (-ftree-sra).
ANALYZED := $(patsubst %,$(BUILD)/analyze/%.ok,$(filter-out kernel/provoke.c,$(filter %.c,$(SOURCES))))
.PHONY: analyze
analyze: $(TIDY) $(USER_TIDY) $(ANALYZED) ## clang-tidy, gcc -fanalyzer and cppcheck
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability -I. \
		'-D_Noreturn=__attribute__((noreturn))' -i kernel/provoke.c --suppress=comparePointers \
		--suppress=ctuuninitvar:gdbstub/agents.c $(FOLDERS)

$(BUILD)/analyze/%.ok: % $(BUILD)/obj/%.o
	@mkdir -p $(@D)
	$(say) "gcc -fanalyzer $<"
	$(Q)gcc $(CFLAGS) $(KERNEL_CFLAGS) -fanalyzer -fno-tree-sra -c -o /dev/null $<
	$(Q)touch $@

.PHONY: test golden host-tests small-stub fuzz soak bench
test: check all app-kernel host-tests port fuzzers ## everything CI runs
	$(PYTHON) -m pytest -p no:cacheprovider -n 2 tests/host tests/qemu

golden: all ## write what reports say of each crash into tests/golden anew: read the diff
	$(PYTHON) tests/host/test_golden_reports.py
	$(PYTHON) -m pytest -q -p no:cacheprovider --golden tests/qemu/test_golden_crashes.py

bench: all ## measure; write docs/benchmarks.md and its pictures
	tests/bench/write_benchmarks.py

# A .c file of tests/host/ is a program, unless it is a fake; what it does not bring itself comes
# from the fakes and the leaves, compiled for the host.
FAKES := $(wildcard tests/host/fake_*.c)
HOST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(filter-out $(FAKES),$(wildcard tests/host/*.c)))
HOST_OBJECTS := $(patsubst %,$(BUILD)/host/%.o,$(FAKES) $(LEAF_SOURCES))
host-tests: $(HOST_PROGRAMS) ## the programs of tests/host/

$(BUILD)/host/%.c.o: %.c $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(say) "cc    $< (host)"
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/host/host.a: $(HOST_OBJECTS) $(BUILD)/linking.stamp
	$(Q)rm -f $@
	$(Q)ar rcs $@ $(HOST_OBJECTS)

$(BUILD)/tests/host/%: tests/host/%.c $(BUILD)/host/host.a
	@mkdir -p $(@D)
	$(say) "cc    $@"
	$(Q)$(CC) $(HOST_CFLAGS) -MMD -MP -MT $@ -MF $@.d -o $@ $< $(BUILD)/host/host.a -lcmocka

.PHONY: coverage
coverage: ## how many lines of the leaves the unit tests run: 95 % of each, or it fails
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/coverage HOST_CHECKS='-O0 --coverage' host-tests
	scripts/coverage.py $(BUILD)/coverage

soak: all ## debug a kernel under stress as badly as can be, for TIME=60 seconds; SEED=...
	$(Q)tests/soak/soak.py --time $(TIME) $(if $(SEED),--seed $(SEED))

# The smallest stub: as a kernel has it, and with a fake one.
$(BUILD)/small/%.c.o: %.c $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LEAF_CFLAGS) $(LIBRARY_CFLAGS) $(SMALL_CFLAGS) \
		$(SMALL_DEFINES) -MMD -MP -c -o $@ $<

small-stub: $(SMALL_STUB:%=$(BUILD)/small/%.o) $(BUILD)/small/test_stub
host-tests: small-stub
$(BUILD)/small/test_stub: tests/small/test_stub.c $(FAKES) $(SMALL_STUB) $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(say) "cc    $@"
	$(Q)$(CC) $(HOST_CFLAGS) -Itests/host $(SMALL_DEFINES) -MMD -MP -MT $@ -MF $@.d -o $@ \
		$(filter %.c,$^) -lcmocka

# Each tests/fuzz/fuzz_*.c is a libFuzzer target; what the fakes do is no progress for it.
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FAKES := $(FAKES:%=$(BUILD)/fuzz/%.o)
FUZZ_LEAVES := $(LEAF_SOURCES:%=$(BUILD)/fuzz/%.o)
.PHONY: fuzzers
.SECONDARY: $(FUZZ_FAKES)
fuzzers: $(FUZZERS)
fuzz: fuzzers ## run each fuzzer for TIME=60 seconds
	tests/fuzz/run.py --seconds $(TIME) $(FUZZERS)

$(FUZZ_LEAVES): FUZZ_CFLAGS += -fsanitize=fuzzer-no-link
$(BUILD)/fuzz/%.c.o: %.c $(BUILD)/compiling.stamp
	@mkdir -p $(@D)
	$(say) "cc    $< (fuzz)"
	$(Q)clang $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_FAKES) $(FUZZ_LEAVES)
	$(say) "cc    $@"
	$(Q)clang $(FUZZ_CFLAGS) -fsanitize=fuzzer -MMD -MP -MT $@ -MF $@.d -o $@ $(filter %.c %.o,$^)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
