# Makefile - builds Trapline, runs it, checks it.  `make help` lists the targets.
#
# One file, no recursion: an object's name is its source's name plus .o, under build/obj/.  What a
# file was made with (compiler, flags, list of objects, command line) is part of what it depends
# on, so switching between gcc and clang never mixes their objects.

BUILD ?= build
APPEND ?=
TIME ?= 60
ifeq ($(origin CC),default)
CC := gcc
endif
PYTHON := /usr/bin/python3

# What needs more than a compiler installs what is missing, before anything else is looked at.
ifneq ($(filter run debug demo test check bench fuzz,$(MAKECMDGOALS)),)
ifneq ($(shell scripts/setup >&2 && echo ready),ready)
$(error scripts/setup could not install what is missing)
endif
endif

# ---- Sources ----

LEAVES := trap gdbstub crashdump
FOLDERS := kernel arch/x86_64 $(LEAVES)
SOURCES := $(sort $(foreach folder,$(FOLDERS),$(wildcard $(folder)/*.c $(folder)/*.asm)))
OBJECTS := $(SOURCES:%=$(BUILD)/obj/%.o)
LINKER_SCRIPTS := $(sort $(wildcard arch/x86_64/*.ld))
LEAF_OBJECTS := $(filter $(LEAVES:%=$(BUILD)/obj/%/%),$(OBJECTS))

# ---- Flags ----

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Werror
MACHINE := -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -fcf-protection=none \
	-fno-stack-protector -fno-common
# The kernel keeps its hands off the FPU, and its frames where debuggers can find them.
CFLAGS := -std=c11 -ffreestanding -O2 -gdwarf-4 $(MACHINE) -mgeneral-regs-only \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls -fasynchronous-unwind-tables \
	$(WARNINGS) -I.
$(LEAF_OBJECTS): LEAF_CFLAGS := -Wframe-larger-than=1024
ASFLAGS := -f elf64 -g -F dwarf -I $(BUILD)/ -I arch/x86_64/
LDFLAGS := -nostdlib -static --build-id=sha1 -z noexecstack -z max-page-size=4096 \
	--no-warn-rwx-segments
APP_FLAGS := -std=gnu11 -g -fno-builtin $(MACHINE) -I. -nostdlib -static -no-pie
APP_LDFLAGS := -T,$(BUILD)/app.ld --build-id=sha1 -z,noexecstack --no-warn-rwx-segments
comma := ,

.DEFAULT_GOAL := $(if $(APP),app,all)
.DELETE_ON_ERROR:
.SUFFIXES:
FORCE:

.PHONY: all iso help
all: $(BUILD)/kernel.elf $(BUILD)/kernel.iso ## build/kernel.elf and build/kernel.iso (the default)
iso: $(BUILD)/kernel.iso ## build/kernel.iso alone

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## */\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# ---- What a file was made with: rewritten only when it changes ----

flags = $(CC) $(CFLAGS) $(ASFLAGS)
objects = $(OBJECTS) $(LDFLAGS)
append = $(APPEND)
$(BUILD)/%.stamp: FORCE
	@mkdir -p $(@D)
	@echo '$($*)' | cmp -s - $@ || echo '$($*)' >$@

# ---- The kernel ----

$(BUILD)/obj/%.c.o: %.c $(BUILD)/flags.stamp
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LEAF_CFLAGS) -MMD -MP -c -o $@ $<

# NASM keeps the names of macro-local labels; debuggers would take them for functions.
$(BUILD)/obj/%.asm.o: %.asm $(BUILD)/layout.inc $(BUILD)/flags.stamp
	@mkdir -p $(@D)
	nasm $(ASFLAGS) -MD $(@:.o=.d) -MP -MT $@ -o $@ $<
	objcopy --wildcard --strip-symbol='..@*' $@

# Offsets and constants of C, for NASM.
$(BUILD)/layout.s: scripts/layout.c $(BUILD)/flags.stamp
	$(CC) $(CFLAGS) -MMD -MP -MT $@ -S -o $@ $<
$(BUILD)/layout.inc: $(BUILD)/layout.s scripts/layout.py
	$(PYTHON) scripts/layout.py $< >$@

$(BUILD)/kernel.elf: $(LINKER_SCRIPTS) $(OBJECTS) $(BUILD)/objects.stamp
	ld $(LDFLAGS) -T arch/x86_64/kernel.ld -o $@ $(OBJECTS)

$(BUILD)/kernel.iso: $(BUILD)/kernel.elf scripts/grub.cfg $(BUILD)/append.stamp
	rm -rf $(BUILD)/iso
	mkdir -p $(BUILD)/iso/boot/grub
	cp $(BUILD)/kernel.elf $(BUILD)/iso/boot/
	sed "s|@APPEND@$$|$$(printf '%-1024s' '$(APPEND)')|" scripts/grub.cfg \
		>$(BUILD)/iso/boot/grub/grub.cfg
	grub-mkrescue --locales= --fonts= --themes= -o $@ $(BUILD)/iso 2>$(BUILD)/iso.log || { cat $(BUILD)/iso.log; exit 1; }

# ---- Applications: programs that become the kernel's main thread (kernel/app.h) ----

OUT ?= $(BUILD)/app.elf
.PHONY: app app-kernel
app: app-kernel ## APP="a.c b.o" OUT=FILE [APP_CFLAGS=...]: a kernel that runs their main()
	$(if $(APP),,$(error make app needs APP="files"))
	$(CC) $(APP_FLAGS) $(APP_CFLAGS) $(addprefix -Wl$(comma),$(APP_LDFLAGS)) \
		-o $(OUT) $(BUILD)/app-kernel.o $(APP)

app-kernel: $(BUILD)/app-kernel.o $(BUILD)/app.ld ## build/app-kernel.o and build/app.ld, to link programs by hand

# Nothing of the kernel's may meet a program's names: what is not the interface becomes local and
# kernel.NAME.  The four functions that compilers call stay global under that name, and the linker
# script lends them to programs that do not bring their own.
COMPILER_CALLS := memcpy memmove memset memcmp
$(BUILD)/app-kernel.o: $(LINKER_SCRIPTS) $(OBJECTS) kernel/app.h $(BUILD)/objects.stamp
	ld -r -T arch/x86_64/partial.ld -o $@ $(OBJECTS)
	{ sed -n 's/^ENTRY(\(.*\))/\1/p' arch/x86_64/kernel.ld; \
		grep -o 'kapp_[a-z]*' kernel/app.h; \
		printf 'kernel.%s\n' $(COMPILER_CALLS); } >$(BUILD)/app-global.txt
	nm --defined-only --format=just-symbols $@ | sort -u | grep -vxFf $(BUILD)/app-global.txt | \
		sed 's/.*/& kernel.&/' >$(BUILD)/app-renamed.txt
	objcopy --strip-debug --redefine-syms=$(BUILD)/app-renamed.txt \
		--keep-global-symbols=$(BUILD)/app-global.txt $@

$(BUILD)/app.ld: arch/x86_64/kernel.ld
	{ sed '/INCLUDE/d' $<; printf 'PROVIDE(%s = kernel.%s);\n' \
		$(foreach name,$(COMPILER_CALLS),$(name) $(name)); } >$@

# ---- Running ----

QEMU := scripts/qemu.py --iso $(BUILD)/kernel.iso $(QEMU_FLAGS)
.PHONY: run debug demo
run: $(BUILD)/kernel.iso ## boot the ISO: console here, GDB at localhost:1234
	$(QEMU) --console stdio --gdb tcp:1234

debug: all ## boot stopped at the first line of kernel_main, GDB attached, interactive
	scripts/debug $(BUILD)

demo: all ## the main job from boot to decoded crash, unattended
	@$(PYTHON) scripts/demo.py

# ---- Tests ----

C_FILES := $(wildcard $(foreach folder,arch $(FOLDERS) scripts tests/host tests/fuzz,\
	$(folder)/*.c $(folder)/*.h))
.PHONY: check test host-tests fuzz
check: $(LEAF_OBJECTS) ## static checks only
	scripts/check_includes.py
	scripts/check_symbols.py $(LEAVES:%=$(BUILD)/obj/%)
	scripts/check_headers.py
	scripts/check_text.py
	clang-format --dry-run --Werror $(C_FILES)
	printf '%s\n' $(filter %.c,$(SOURCES)) | xargs -n 8 -P 2 sh -c \
		'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS) 2>$(BUILD)/tidy.$$$$.log' clang-tidy
TIDY_FLAGS := -std=c11 -ffreestanding $(MACHINE) -mgeneral-regs-only -I.

test: check all app-kernel host-tests ## everything CI runs
	$(PYTHON) -m pytest -p no:cacheprovider -n 2 tests/host tests/qemu

# Each tests/host/test_*.c is a program; what it does not bring itself comes from the leaves and
# the fakes, compiled for the host.
HOST_CFLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-Wall -Wextra -Werror -I.
HOST_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/host/test_*.c))
HOST_OBJECTS := $(patsubst %.c,$(BUILD)/host/%.o,$(wildcard tests/host/fake_*.c) \
	$(filter $(LEAVES:%=%/%.c),$(SOURCES)))
host-tests: $(HOST_TESTS)
$(BUILD)/tests/host/%: tests/host/%.c $(BUILD)/host/host.a
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/host/host.a -lcmocka
$(BUILD)/host/host.a: $(HOST_OBJECTS) $(BUILD)/objects.stamp
	rm -f $@
	ar rcs $@ $(HOST_OBJECTS)
$(BUILD)/host/%.o: %.c $(BUILD)/flags.stamp
	@mkdir -p $(@D)
	$(CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

# Each tests/fuzz/fuzz_*.c is a libFuzzer target; what it found stays in build/fuzz/.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: $(FUZZERS:%=run-%) ## each fuzzer for TIME=60 seconds
$(FUZZERS:%=run-%): run-%: $(BUILD)/fuzz/%
	mkdir -p $(BUILD)/fuzz/$*.corpus
	$< -max_total_time=$(TIME) -timeout=10 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/fuzz/$*- $(BUILD)/fuzz/$*.corpus
$(BUILD)/fuzz/%: tests/fuzz/%.c $(filter $(LEAVES:%=%/%.c),$(SOURCES))
	@mkdir -p $(@D)
	clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
		-o $@ $^

-include $(OBJECTS:.o=.d) $(HOST_OBJECTS:.o=.d) $(HOST_TESTS:=.d) $(BUILD)/layout.d

.PHONY: clean
clean: ## remove build/
	rm -rf $(BUILD)
