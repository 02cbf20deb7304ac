# make            build/foster: static and position independent, against musl where it is present, else glibc
#   LIBC=glibc    against glibc
#   CC=clang CXX=clang++
#   SANITIZE=1    a developer's build, with the address and undefined behaviour sanitizers
#   WERROR=1      warnings are errors
#   BUILD=DIR     builds into DIR instead of build
# make demo       what an init is for, in ten lines
# make test       the tests, against BUILD's foster
# make lint       formatting and static analysis
# make bench      foster beside tini, dumb-init and catatonit
# make install    PREFIX=/usr/local, DESTDIR=

VERSION := 0.1.0
BUILD := build
PREFIX := /usr/local
ifeq ($(origin CC),default)
  CC := gcc
endif
ifeq ($(origin CXX),default)
  CXX := g++
endif

SOURCES := $(wildcard src/*.cpp src/sys/*.cpp)
OBJECTS := $(SOURCES:%.cpp=$(BUILD)/%.o)
WORKLOADS := $(patsubst tests/workloads/%.cpp,$(BUILD)/workloads/%,$(wildcard tests/workloads/*.cpp))

TARGET := $(shell $(CXX) -dumpmachine)
CPU := $(firstword $(subst -, ,$(TARGET)))
MUSL := $(firstword $(wildcard $(addsuffix /libc.a,/usr/lib/$(CPU)-linux-musl)))
ifneq ($(findstring musl,$(TARGET)),)
  LIBC ?= native
else ifneq ($(MUSL),)
  LIBC ?= musl
else
  LIBC ?= glibc
endif

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wno-missing-field-initializers
CPPFLAGS += -Isrc -I$(BUILD) -DFOSTER_VERSION='"$(VERSION)"'
CXXFLAGS += -std=c++20 $(WARNINGS) $(if $(WERROR),-Werror) -fno-exceptions -fno-rtti -fno-threadsafe-statics
ifdef SANITIZE
  CXXFLAGS += -Og -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  LINK = $(CXX) -fsanitize=address,undefined -o $@ $(OBJECTS)
else
  CXXFLAGS += -Os -fPIE -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables
  # One read-execute and one read-write segment: each further one costs a page of memory.
  LDFLAGS += -static-pie -s -Wl,--gc-sections,--build-id=none,-z,norelro,-z,noseparate-code
  LINK = $(CC) $(LDFLAGS) -o $@ $(OBJECTS)
endif
ifeq ($(LIBC)$(SANITIZE),musl)
  # Debian's g++ does not know musl: libstdc++'s headers, then musl's, then the compiler's own. The start files are named
  # one by one because `musl-gcc -static-pie` makes a dynamic program without a word.
  MUSL_LIB := $(dir $(MUSL))
  HEADERS := $(shell $(CXX) -E -x c++ -v /dev/null 2>&1 | sed -n '/^\#include </,/^End/s/^ //p')
  HEADERS := $(filter-out /usr/local/include /usr/include /usr/include/$(CPU)-linux-gnu,$(HEADERS))
  CXX_HEADERS := $(foreach dir,$(HEADERS),$(if $(findstring c++,$(dir)),$(dir)))
  CPPFLAGS += -nostdinc $(addprefix -isystem ,$(CXX_HEADERS) /usr/include/$(CPU)-linux-musl \
    $(filter-out $(CXX_HEADERS),$(HEADERS))) -D'__GLIBC_PREREQ(a,b)=0'
  LINK = $(CC) -nostdlib $(LDFLAGS) -o $@ $(MUSL_LIB)rcrt1.o $(MUSL_LIB)crti.o $(OBJECTS) -L$(MUSL_LIB) -lc \
    $(shell $(CC) -print-libgcc-file-name) $(MUSL_LIB)crtn.o
endif

.PHONY: all demo test lint bench install clean FORCE
all: $(BUILD)/foster

$(BUILD)/foster: $(OBJECTS)
	$(if $(filter glibc,$(LIBC)),@echo 'building against glibc: with musl (Debian: musl-tools) the file is far smaller')
	$(LINK)
ifndef SANITIZE
	@if readelf -lW $@ | grep -q INTERP; then echo '$@ is not static' >&2; rm -f $@; exit 1; fi
endif

$(OBJECTS): $(BUILD)/%.o: %.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

# Changes when the compiler or its flags do, so that no object of another variant is linked.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(subst ','\'',$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS))' | cmp -s - $@ || \
	  echo '$(subst ','\'',$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS))' >$@

# The text of LICENSE as a string literal.
$(BUILD)/license.inc: LICENSE
	@mkdir -p $(@D)
	sed 's/["\\]/\\&/g; s/.*/"&\\n"/' $< >$@
$(BUILD)/src/options.o: $(BUILD)/license.inc

-include $(OBJECTS:.o=.d)

# Static, so that they run in a root directory that holds nothing else.
$(BUILD)/workloads/%: tests/workloads/%.cpp tests/workloads/workload.hpp
	@mkdir -p $(@D)
	g++ -std=c++20 -O1 $(WARNINGS) -static -o $@ $<

clean:
	rm -rf $(BUILD)
