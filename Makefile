# make            build/foster and build/foster-runtime: static and position independent, against musl where it is
#                 present, else glibc
#   LIBC=glibc    against glibc
#   CC=clang CXX=clang++
#   ARCH=aarch64  for another CPU, by the cross compiler of that name (Debian: g++-aarch64-linux-gnu), in build/aarch64
#   SANITIZE=1    a developer's build, with the address and undefined behaviour sanitizers
#   WERROR=1      warnings are errors
#   V=1           shows each command
#   COMMIT=NAME   what --version names, where it is not known from git or from the archive
#   BUILD=DIR     builds into DIR instead of build
# make demo       what an init is for, in ten lines
# make test       the tests, against BUILD's foster; TESTS=FILE... for some of them; wants GNU parallel
# make e2e        tests in Docker, podman, runc, crun, containerd, systemd and real kernels of both CPUs, as root
# make lint       formatting and static analysis; ARCH too
# make fuzz       everything that foster and foster-runtime parse, by libFuzzer; wants clang and nlohmann-json3-dev
#   SECONDS=60    for all targets together; RUNS=N: instead, N inputs for each of them
#   SEED=N        tries the same inputs again, given RUNS; the seed of each run is printed
#   FUZZ=NAME...  some of tests/fuzz/NAME.cpp
# make faults     each of foster's system calls fails in each way, as root; CASE=SETTING:CALL:ERROR:WHEN for one
#                 case, SAMPLE=N SEED=N for some
# make chaos      random trees of processes under foster, random options and signals, as root; wants Python 3
#   SECONDS=60    so many seconds of rounds, each with a new seed; SEED=N alone: one round, as a failure has named it
# make model      the signal and reap protocol, proved by spin, in a minute; FORKS=3 or SIGNALS=2 for more; wants spin
# make soak       a million orphans and a million signals, ORPHANS, SIGNALS; memory and descriptors stay as they are
# make mutants    do the tests test? changes foster in one place at a time; the tests must fail; as root, wants python3
#   SAMPLE=20 SEED=N FILES='reaper.cpp ...' MUTANT='FILE:LINE: old -> new', see tests/mutants/mutants.py
# make coverage   the lines and branches of src/supervisor that the tests reach, in build/coverage/report, as root;
#                 wants clang, llvm and libclang-rt-dev
# make bench      foster beside tini, dumb-init and catatonit, and beside the least that an init can do, as root: a
#                 table, build/bench.json and build/orphans.svg; ROUNDS=5; ALIVE='0 10 ...' living orphans; says what
#                 it lacks
# make install    both, foster-runtime by its other names, the man pages, and the manifests for Kubernetes
#   PREFIX=/usr/local, DESTDIR=, bindir, mandir, datadir, INSTALL as GNU has them
# make uninstall  removes these
# make clean

VERSION := 0.1.0
# git archive puts the commit here, see .gitattributes.
ARCHIVED := $Format:%h$
IN_GIT := $(if $(findstring ormat:,$(ARCHIVED)),$(shell git rev-parse --short=7 HEAD 2>/dev/null),$(ARCHIVED))
COMMIT := $(or $(IN_GIT),unknown)
# What is the same for all variants of a CPU, and one of these.
COMMON := build$(ARCH:%=/%)
BUILD := $(COMMON)
PREFIX := /usr/local
prefix := $(PREFIX)
exec_prefix := $(prefix)
bindir := $(exec_prefix)/bin
datarootdir := $(prefix)/share
datadir := $(datarootdir)
mandir := $(datarootdir)/man
INSTALL := install
INSTALL_PROGRAM := $(INSTALL) -m 755
INSTALL_DATA := $(INSTALL) -m 644
TOOL := $(ARCH:%=%-linux-gnu-)
ifeq ($(origin CC),default)
  CC := $(TOOL)gcc
endif
ifeq ($(origin CXX),default)
  CXX := $(TOOL)g++
endif

SOURCES := $(wildcard src/*.cpp src/*/*.cpp)
OBJECTS := $(SOURCES:%.cpp=$(BUILD)/%.o)
# foster-runtime's own, and what both programs use.
OF_RUNTIME := $(filter $(BUILD)/src/runtime/%,$(OBJECTS))
SHARED := $(filter $(BUILD)/src/sys/% $(BUILD)/src/log/%,$(OBJECTS))
# What the tests and the benchmark run under foster: the same for every variant of it.
WORKLOADS := $(patsubst tests/%.cpp,$(COMMON)/%,$(wildcard tests/workloads/*.cpp))
FAULTS := $(patsubst tests/%.cpp,$(COMMON)/%,$(wildcard tests/faults/*.cpp))
CHAOS := $(patsubst tests/%.cpp,$(COMMON)/%,$(wildcard tests/chaos/*.cpp))
FLOOR := $(COMMON)/bench/floor
MEASURES := $(filter-out $(FLOOR),$(patsubst tests/%.cpp,$(COMMON)/%,$(wildcard tests/bench/*.cpp)))
SCRIPTS := .ci/run tests/helpers.bash $(wildcard src/kubernetes/*.sh tests/*.bats tests/*.sh tests/*/*.sh \
  tests/mutants/*.bats $(addprefix tests/e2e/*.,bats bash) tests/workloads/*.bash)

TARGET := $(shell $(CXX) -dumpmachine)
CPU := $(firstword $(subst -, ,$(TARGET)))
MUSL := $(wildcard /usr/lib/$(CPU)-linux-musl/libc.a)
ifneq ($(findstring musl,$(TARGET)),)
  LIBC ?= native
else ifneq ($(MUSL),)
  LIBC ?= musl
else
  LIBC ?= glibc
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast \
  -Wno-missing-field-initializers
DEFINES := -Isrc -I$(BUILD) -DFOSTER_VERSION='"$(VERSION)"'
WITH_COMMIT = -DFOSTER_COMMIT='"$(COMMIT)"'
FLAGS := -std=c++20 $(WARNINGS) $(if $(WERROR),-Werror) -fno-exceptions -fno-rtti -fno-threadsafe-statics
CLANG := $(findstring clang,$(shell $(CXX) --version))
# Those of the flags that this compiler takes, without a word.
cc-option = $(foreach flag,$(1),$(if $(call complaint,$(flag)),,$(flag)))
complaint = $(shell $(CXX) -Werror $(1) -x c++ -c -o /dev/null /dev/null 2>&1 || echo no)
# clang: with -Oz it leaves calls in that want libstdc++ itself, and without registers for floating point numbers it
# does not get through libstdc++'s headers. For gcc functions with "..." then have none to save (350 bytes);
# -malign-data=abi saves 180. Where a call is no shorter than the function, as with string_view's constructor,
# max-inline-insns-size=1 lets gcc inline it, although it counts one instruction more: 750. The optimizations that are
# off make this code larger even at -Oz: expensive-optimizations by 540 bytes, move-loop-invariants by 220,
# if-conversion by 190, optimize-sibling-calls by 160, ira-hoist-pressure by 130, caller-saves by 100,
# partial-inlining and cse-follow-jumps by 60, shrink-wrap by 30.
ifdef CLANG
  SMALL := -Os
else ifndef SANITIZE
  SMALL := $(or $(call cc-option,-Oz),-Os) $(call cc-option,--param=max-inline-insns-size=1 -mgeneral-regs-only \
    $(if $(filter x86_64,$(CPU)),-malign-data=abi) $(addprefix -fno-,expensive-optimizations move-loop-invariants \
    if-conversion optimize-sibling-calls ira-hoist-pressure caller-saves partial-inlining shrink-wrap cse-follow-jumps))
endif
ifdef SANITIZE
  FLAGS += -Og -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  LINK = $(CXX) -fsanitize=address,undefined -o $@ $(filter %.o,$^)
else
  FLAGS += $(SMALL) -fno-ident -fPIE -ffunction-sections -fdata-sections
  FLAGS += -fno-asynchronous-unwind-tables -fno-unwind-tables
  # No stack protector, whatever the distribution has for its default: with -fstack-protector-strong (and its guard in a
  # global, as there is no TLS) foster has 66,368 bytes instead of 61,200, with -fstack-protector 63,808, and may have
  # 61,440; foster-runtime has 25,400 instead of 23,832. Resident memory is the same.
  FLAGS += -fno-stack-protector
  # One read-execute and one read-write segment: each further one costs a page of memory.
  LINKFLAGS := -static-pie -s -Wl,--gc-sections,--build-id=none,-z,noseparate-code
  LINK = $(CC) $(LINKFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^)
endif
# See src/sys/start.cpp.
OWN_START := $(if $(SANITIZE),,$(and $(filter musl native,$(LIBC)),$(filter x86_64 aarch64,$(CPU))))
ifneq ($(OWN_START),)
  DEFINES += -DFOSTER_OWN_START
  # All sources at once. Functions that are called once stay apart, for sys/hot.ld is to take some and to leave others.
  LTO := $(if $(CLANG),,$(call cc-option,-flto=auto -flto-partition=none))
  FLAGS += $(LTO) $(if $(LTO),-fno-inline-functions-called-once)
  LINKFLAGS += $(LTO) $(if $(LTO),-ffunction-sections -fdata-sections)
  # No RELRO, which would be for 144 bytes of constants, without an address of a function among them. It costs 4 KiB of
  # resident memory (36 instead of 32), and GNU ld pads what has such a header to a page: 62,016 bytes instead of
  # 61,048.
  LINKFLAGS += -nostartfiles -Wl,-z,norelro,-T,src/sys/layout.ld
else ifndef SANITIZE
  LINKFLAGS += -Wl,-z,relro,-T,src/sys/init_text.ld
endif
ifeq ($(LIBC)$(SANITIZE),musl)
  # Debian's g++ does not know musl: libstdc++'s headers, then musl's, then the compiler's own. The start files are
  # named one by one because `musl-gcc -static-pie` makes a dynamic program without a word.
  MUSL_LIB := $(dir $(MUSL))
  HEADERS := $(shell $(CXX) -E -x c++ -v /dev/null 2>&1 | sed -n '/^\#include </,/^End/s/^ //p')
  HEADERS := $(filter-out /usr/local/include /usr/include /usr/include/$(CPU)-linux-gnu \
    %/$(CPU)-linux-gnu/include,$(HEADERS))
  CXX_HEADERS := $(foreach dir,$(HEADERS),$(if $(findstring c++,$(dir)),$(dir)))
  DEFINES += -nostdinc $(addprefix -isystem ,$(CXX_HEADERS) /usr/include/$(CPU)-linux-musl \
    $(filter-out $(CXX_HEADERS),$(HEADERS))) -D'__GLIBC_PREREQ(a,b)=0'
  LINK = $(CC) -nostdlib $(LINKFLAGS) $(LDFLAGS) -o $@ $(if $(OWN_START),,$(addprefix $(MUSL_LIB),rcrt1.o crti.o)) \
    $(filter %.o,$^) -L$(MUSL_LIB) -lc $(shell $(CC) -print-libgcc-file-name) $(if $(OWN_START),,$(MUSL_LIB)crtn.o)
endif

# As many jobs as CPUs, unless -j says otherwise.
ifeq ($(filter -j%,$(MAKEFLAGS)),)
  MAKEFLAGS += -j$(shell nproc)
endif

.PHONY: all demo test e2e fuzz soak lint bench install uninstall clean FORCE model faults chaos mutants coverage
all: $(BUILD)/foster $(BUILD)/foster-runtime $(BUILD)/compile_commands.json

# With V=1 commands are shown, with -s nothing, else what they make.
QUIET := $(if $(V),,@)
show = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '%-3s %s\n' $(1) $(2))

$(BUILD)/foster: $(filter-out $(OF_RUNTIME),$(OBJECTS))
$(BUILD)/foster-runtime: $(OF_RUNTIME) $(SHARED)
$(BUILD)/foster $(BUILD)/foster-runtime: $(wildcard src/sys/*.ld)
	$(if $(filter glibc,$(LIBC)),@echo 'building against glibc: with musl (Debian: musl-tools) the file is far smaller')
	$(call show,LD,$@)
	$(QUIET)$(LINK)
ifndef SANITIZE
	@if readelf -lW $@ | grep -q INTERP; then echo '$@ is not static' >&2; rm -f $@; exit 1; fi
endif

COMPILE = $(CXX) $(DEFINES) $(CPPFLAGS) $(FLAGS) $(CXXFLAGS)
$(OBJECTS): $(BUILD)/%.o: %.cpp $(BUILD)/flags Makefile
	@mkdir -p $(@D)
	$(call show,CXX,$<)
	$(QUIET)$(COMPILE) -MMD -MP -c -o $@ $<

# Changes when the compiler or its flags do, so that no object of another variant is linked.
quoted = '$(subst ','\'',$(1))'
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@flags=$(call quoted,$(CC) $(COMPILE) $(LINKFLAGS) $(LDFLAGS)); \
	  echo "$$flags" | cmp -s - $@ || echo "$$flags" >$@

# For clangd and its like.
$(BUILD)/compile_commands.json: $(BUILD)/flags $(SOURCES)
	@printf '%s\n' $(SOURCES) | while read -r source; do \
	  printf '%s{"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$${comma:-[}" $(call quoted,$(CURDIR)) \
	    "$$source" $(call quoted,$(subst ",\",$(subst \,\\,$(COMPILE) $(WITH_COMMIT)))) "$$source"; \
	  comma=$$(printf ',\n '); done >$@
	@echo ']' >>$@

# The text of LICENSE as a string literal.
$(BUILD)/license.inc: LICENSE
	@mkdir -p $(@D)
	$(QUIET)sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $< >$@
$(BUILD)/src/options/help.o: $(BUILD)/license.inc $(BUILD)/commit
$(BUILD)/src/options/help.o: DEFINES += $(WITH_COMMIT)

# Changes when the commit does, so that no more than its own file is compiled anew.
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@

-include $(OBJECTS:.o=.d)

# Static, so that they run in a root directory that holds nothing else.
$(CHAOS): tests/chaos/chaos.hpp
$(WORKLOADS) $(MEASURES) $(FAULTS) $(CHAOS): $(COMMON)/%: tests/%.cpp tests/workloads/workload.hpp
	@mkdir -p $(@D)
	$(call show,CXX,$<)
	$(QUIET)$(CXX) -std=c++20 -O2 $(WARNINGS) $(if $(WERROR),-Werror) -static -I$(COMMON) -o $@ $<

# Without a C library. One segment, as a linker makes the smallest file.
$(FLOOR): tests/bench/floor.cpp src/sys/raw_call.hpp
	@mkdir -p $(@D)
	$(call show,CXX,$<)
	$(QUIET)$(CXX) -std=c++20 -Os $(WARNINGS) $(if $(WERROR),-Werror) -Isrc -ffreestanding -fno-pie -no-pie -static \
	  -fno-stack-protector -fno-exceptions -fno-asynchronous-unwind-tables -nostdlib -s \
	  -Wl,--nmagic,--build-id=none,-z,noseparate-code,-z,norelro -o $@ $<

# The names and numbers of all system calls.
$(COMMON)/faults/calls.inc:
	@mkdir -p $(@D)
	$(QUIET)echo '#include <asm/unistd.h>' | $(CXX) -E -dM -x c++ - | \
	  sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/{"\1", __NR_\1},/p' >$@
$(COMMON)/faults/inject $(COMMON)/faults/allowed: $(COMMON)/faults/calls.inc

# As a word for the shell.
absolute = $(call quoted,$(abspath $(1)))
demo: $(BUILD)/foster
	@FOSTER=$(call absolute,$<) tests/demo.sh

# In an environment that is the same for everybody.
RUN = env -i PATH="$$PATH" HOME="$$HOME" CI="$$CI" FOSTER=$(call absolute,$(BUILD)/foster) tests/run.sh
test: all $(WORKLOADS) $(FAULTS)
	@$(RUN) $(or $(TESTS),tests)

e2e: all $(WORKLOADS)
	@$(RUN) $(or $(TESTS),tests/e2e)

# Each target of tests/fuzz with the sanitizers, so that a byte too far is seen. What they find is kept in build/fuzz.
FUZZ := $(filter-out harness,$(basename $(notdir $(wildcard tests/fuzz/*.cpp))))
FUZZED := $(wildcard src/runtime/json*.cpp) $(addprefix src/,child/credentials.cpp log/duration.cpp log/errno_text.cpp \
  log/line.cpp log/log.cpp options/environment.cpp options/option_table.cpp options/parser.cpp options/personality.cpp \
  runtime/command_line.cpp runtime/plan.cpp signals/signal_name.cpp sys/cgroup.cpp sys/procfs.cpp \
  sys/search_path.cpp sys/text.cpp)
FUZZED_OBJECTS := $(patsubst %.cpp,build/fuzz/%.o,$(FUZZED) tests/fuzz/harness.cpp)
FUZZ_FLAGS := -std=c++20 -O2 -g $(WARNINGS) $(if $(WERROR),-Werror) -fsanitize=fuzzer,address,undefined \
  -fno-sanitize-recover=all -Isrc
SECONDS := 60
fuzz: $(FUZZ:%=build/fuzz/%.fuzzer)
	@tests/fuzz/run.sh $(SECONDS) '$(RUNS)' '$(SEED)' $(FUZZ)

build/fuzz/%.o: %.cpp Makefile
	@mkdir -p $(@D)
	$(call show,CXX,$<)
	$(QUIET)clang++ $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

build/fuzz/%.fuzzer: build/fuzz/tests/fuzz/%.o $(FUZZED_OBJECTS)
	$(call show,LD,$@)
	$(QUIET)clang++ $(FUZZ_FLAGS) -Wl,--wrap=_exit,--wrap=getpid -o $@ $^

-include $(FUZZED_OBJECTS:.o=.d) $(FUZZ:%=build/fuzz/tests/fuzz/%.d)
.SECONDARY: $(FUZZ:%=build/fuzz/tests/fuzz/%.o)

soak: $(BUILD)/foster $(WORKLOADS)
	FOSTER=$(call absolute,$<) tests/soak/soak.sh

model:
	@$(if $(FORKS),FORKS=$(FORKS)) $(if $(SIGNALS),SIGNALS=$(SIGNALS)) tests/model/run.sh

# See tests/faults/run.sh.
faults: $(BUILD)/foster $(FAULTS)
	@FOSTER=$(call absolute,$<) CASE=$(CASE) SAMPLE=$(SAMPLE) SEED=$(SEED) tests/faults/run.sh

chaos: $(BUILD)/foster $(CHAOS)
	@FOSTER=$(call absolute,$<) PROGRAMS=$(call absolute,$(COMMON)/chaos) SEED=$(SEED) \
	  SECONDS=$(if $(and $(SEED),$(filter file,$(origin SECONDS))),,$(SECONDS)) tests/chaos/chaos.py

mutants: all $(WORKLOADS) $(FAULTS)
	@SAMPLE=$(SAMPLE) SEED=$(SEED) FILES='$(FILES)' TESTS='$(TESTS)' MUTANT=$(call quoted,$(MUTANT)) \
	  tests/mutants/mutants.py

# See tests/mutants/coverage.sh.
coverage: $(WORKLOADS) $(FAULTS)
	+@TESTS='$(TESTS)' tests/mutants/coverage.sh

bench: $(BUILD)/foster $(BUILD)/foster-runtime $(MEASURES) $(FLOOR) $(WORKLOADS)
	@FOSTER=$(call absolute,$<) MEASURES=$(call absolute,$(COMMON)/bench) OUT=$(call absolute,$(BUILD)) ALIVE='$(ALIVE)' \
	  ROUNDS=$(ROUNDS) tests/bench/bench.py
	@FOSTER=$(call absolute,$<) MEASURES=$(call absolute,$(COMMON)/bench) ROUNDS=$(ROUNDS) tests/bench/own.sh

# clang-tidy gets one file a process: version 14 takes va_list for something else in the second one.
lint: $(BUILD)/license.inc
	clang-format --dry-run --Werror $$(git ls-files '*.cpp' '*.hpp')
	printf '%s\0' $(SOURCES) | xargs -0 -P "$$(nproc)" -I {} clang-tidy --quiet --warnings-as-errors='*' {} -- \
	  $(ARCH:%=--target=%-linux-gnu) -std=c++20 -Isrc -I$(BUILD) -fno-exceptions -fno-rtti \
	  -DFOSTER_VERSION='"$(VERSION)"' $(WITH_COMMIT)
	shellcheck --external-sources --source-path=tests $(SCRIPTS)
	codespell $$(git ls-files)
	! git ls-files ':!README.md' ':!tests' ':!.ci' | LC_ALL=C.UTF-8 xargs grep -nE '^.{121,}'
	! git ls-files tests .ci ':!tests/fuzz/*/*' | LC_ALL=C.UTF-8 xargs grep -nE '^.{121,}' | grep -E ':[0-9]+: *(//|#) '
	! mandoc -Tlint -Wstyle $(MAN_PAGES) | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db'

MAN_PAGES := $(wildcard src/*.1)
MANIFESTS := $(wildcard src/kubernetes/*)
# By which name of its own foster-runtime stands for which runtime.
RUNTIMES := foster-runc foster-crun

install: all
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(datadir)/foster/kubernetes $(DESTDIR)$(mandir)/man1
	$(INSTALL_PROGRAM) $(BUILD)/foster $(BUILD)/foster-runtime $(DESTDIR)$(bindir)
	for name in $(RUNTIMES); do ln -sf foster-runtime $(DESTDIR)$(bindir)/$$name; done
	$(INSTALL_DATA) $(MANIFESTS) $(DESTDIR)$(datadir)/foster/kubernetes
	$(INSTALL_DATA) $(MAN_PAGES) $(DESTDIR)$(mandir)/man1
	for name in $(RUNTIMES); do ln -sf foster-runtime.1 $(DESTDIR)$(mandir)/man1/$$name.1; done

uninstall:
	rm -f $(addprefix $(DESTDIR)$(bindir)/,foster foster-runtime $(RUNTIMES))
	rm -f $(addprefix $(DESTDIR)$(mandir)/man1/,foster.1 foster-runtime.1 $(RUNTIMES:%=%.1))
	rm -rf $(DESTDIR)$(datadir)/foster

clean:
	rm -rf $(BUILD)
