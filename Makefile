# SPDX-License-Identifier: MIT
#
# make module		afsx.ko for KDIR (default: Debian's kernel, from the cache)
# make tools		the programs in tools/, into build/bin
# make install		programs, manuals and units below /usr (PREFIX, DESTDIR)
# make check		every test; check-TIER runs one tier, TESTS=... some of its tests
# make demo		mount a cell in a guest; make shell: a prompt there
# make bench		measure, beside what can be compared with; bench-NAME: one part
# make kernels		build the kernels the tests run on, ahead of time
# make deps		install the Debian packages all this needs
# make clean		remove build/ (the kernels stay in the cache)
testing := tools/testing
vm := $(testing)/vm
tiers := style host crash kunit vm interop
tool_dirs := $(patsubst %/,%,$(dir $(wildcard tools/*/Makefile)))

# The kernel of `make module` without KDIR, `make shell` and `make demo`.
KERNEL ?= debian

export AFSX_CACHE
# Packages come before what needs them; within a tool's build, make goes parallel.
.NOTPARALLEL:

all: module tools

module:
	@if [ -n "$(KDIR)" ]; then KDIR="$(KDIR)" $(vm)/module local; \
	else $(vm)/module $(KERNEL); fi

tools: $(tool_dirs)

$(tool_dirs):
	@$(MAKE) --no-print-directory -j$(shell nproc) -C $@ O=$(CURDIR)/build

install: tools
	@$(MAKE) --no-print-directory -C packaging install BIN=$(CURDIR)/build/bin

deps:
	@$(testing)/deps

kernels: deps
	@$(vm)/kernel >/dev/null

# The modules that guests load; the KUnit and style tiers build their own. Tests
# use the debug kernel too.
guest_kernels := $(KERNEL)
check check-vm check-interop: guest_kernels += debug
guest-modules: deps
	@for name in $(guest_kernels); do $(vm)/module $$name >/dev/null || exit; done

# Ahead of the tests: no test waits for another one that builds.
test-programs: deps
	@$(testing)/programs

check: deps kernels tools guest-modules test-programs
	@$(testing)/run-tier $(tiers)

check-style check-kunit: deps
check-host check-crash: deps tools test-programs
check-vm check-interop: deps tools guest-modules
$(tiers:%=check-%): check-%:
	@$(testing)/run-tier $* $(TESTS)

demo: deps tools guest-modules
	@$(vm)/run --kernel $(KERNEL) --cell -- $(testing)/demo

shell: deps tools guest-modules
	@$(vm)/run --kernel $(KERNEL) --cell --timeout 86400 --interactive

bench: deps tools guest-modules
	@$(testing)/bench/run

# These need no guest.
bench-store bench-server bench-nbd: bench-%: deps tools
	@$(testing)/bench/run $*

clean:
	rm -rf build

.PHONY: all module tools $(tool_dirs) install deps kernels guest-modules test-programs check \
	$(tiers:%=check-%) demo shell bench bench-store bench-server bench-nbd clean
