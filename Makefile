# SPDX-License-Identifier: MIT
#
# make module		afsx.ko for KDIR (default: Debian's kernel, from the cache)
# make tools		the programs in tools/, into build/bin
# make check		every test; check-TIER runs one tier, TESTS=... some of its tests
# make demo		mount a cell in a guest; make shell: a prompt there
# make bench		measure, beside what can be compared with
# make kernels		build the kernels the tests run on, ahead of time
# make deps		install the Debian packages all this needs
# make clean		remove build/ (the kernels stay in the cache)
testing := tools/testing
vm := $(testing)/vm
tiers := style host kunit vm interop
tool_dirs := $(patsubst %/,%,$(dir $(wildcard tools/*/Makefile)))

# The kernel of `make module` without KDIR, `make shell` and `make demo`.
KERNEL ?= debian

export AFSX_CACHE

all: module tools

module:
	@if [ -n "$(KDIR)" ]; then KDIR="$(KDIR)" $(vm)/module local; \
	else $(vm)/module $(KERNEL); fi

tools: $(tool_dirs)

$(tool_dirs):
	@$(MAKE) --no-print-directory -C $@ O=$(CURDIR)/build

deps:
	@$(testing)/deps

kernels: deps
	@for name in debian uml-debug test debug; do $(vm)/kernel $$name >/dev/null || exit; done

check: kernels
	@$(testing)/run-tier $(tiers)

$(tiers:%=check-%): check-%: deps
	@$(testing)/run-tier $* $(TESTS)

demo shell: deps
	@$(MAKE) --no-print-directory module KERNEL=$(KERNEL)
	@$(MAKE) --no-print-directory tools

demo:
	@$(vm)/run --kernel $(KERNEL) --cell -- $(testing)/demo

shell:
	@$(vm)/run --kernel $(KERNEL) --cell --timeout 86400 --interactive

bench: deps
	@$(testing)/bench/run

clean:
	rm -rf build

.PHONY: all module tools $(tool_dirs) deps kernels check $(tiers:%=check-%) \
	demo shell bench clean
