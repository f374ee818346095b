# SPDX-License-Identifier: MIT
#
# How the programs in tools/ are built. The Makefile of a directory names them,
# with sources by their path from the top of the checkout, and includes this:
#
#	PROGRAMS := afsxd
#	afsxd-srcs := tools/volserver/main.c tools/lib/log.c
#	afsxd-pkgs := libnbd		packages of pkg-config
#	afsxd-libs := -lpthread		more for the linker
#	afsxd-flags := -Wno-...		more for the compiler
#	include ../build.mk
#
# WERROR=-Werror has a warning end the build, as the tests do.
#
# Objects land in O/obj/PROGRAM, so that one source can be built in two ways,
# and programs in O/bin.
top := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
O ?= $(top)/build

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wno-unused-parameter -Wno-sign-compare
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing $(WARNINGS) $(WERROR) \
	-I$(top)/include -iquote $(top)/tools/lib

all: $(PROGRAMS:%=$(O)/bin/%)

define program
$(1)-objs := $$($(1)-srcs:%.c=$(O)/obj/$(1)/%.o)
$(1)-cflags := $$($(1)-flags) $$(if $$($(1)-pkgs),$$(shell pkg-config --cflags $$($(1)-pkgs)))
$(1)-ldlibs := $$(if $$($(1)-pkgs),$$(shell pkg-config --libs $$($(1)-pkgs))) $$($(1)-libs)

$(O)/bin/$(1): $$($(1)-objs)
	@mkdir -p $$(@D)
	@echo '  LD      $(1)'
	@$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$($(1)-ldlibs)

$(O)/obj/$(1)/%.o: $(top)/%.c
	@mkdir -p $$(@D)
	@echo '  CC      $$*.c'
	@$$(CC) $$(CFLAGS) $$($(1)-cflags) -MMD -MP -c -o $$@ $$<

-include $$($(1)-objs:.o=.d)
endef
$(foreach name,$(PROGRAMS),$(eval $(call program,$(name))))

.PHONY: all
