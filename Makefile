# Chronus: one Makefile for the whole tree. `make help` lists what it does.
#
# `make B=folder ...` builds in a folder of its own; SAN=address,undefined builds with sanitizers in build-san/.
#
# Everything is found by wildcard: a new module is one new file in modules/, a new test one new file in tests/<room>/. Each
# room is compiled against a folder of links that holds just what it may include (see `include_rules`).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
# Who runs it waits for the sound: on all cores.
MAKEFLAGS += $(if $(filter run,$(MAKECMDGOALS)),-j$(shell nproc))
# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-5s %s\n')

PREFIX ?= /usr/local
DESTDIR ?=
PATCH ?= patches/drone.cfg
SAN ?=
VERSION := 0.1.0

comma := ,
B := $(if $(SAN),build-san/$(subst $(comma),-,$(SAN)),build)
LIBDIR := $(PREFIX)/lib/chronus

CC ?= cc
ifeq ($(origin CC),default)
CC := cc
endif
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
# gcc's thread sanitizer does not know fences; what they order is checked by tests/model.
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all $(if $(findstring thread,$(SAN)),$(if $(findstring clang,$(CC)),,-Wno-tsan)))
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(CFLAGS) -ffp-contract=off -fno-common -pthread $(WARNINGS) $(SAN_FLAGS)
ALL_LDFLAGS = $(LDFLAGS) -pthread $(SAN_FLAGS)

# ---- what is in the tree ----

common_src := $(wildcard common/*.c)
engine_src := $(wildcard engine/*.c)
supervisor_src := $(wildcard supervisor/*.c)
tools_src := $(wildcard tools/*.c)
dsp_src := $(wildcard modules/dsp/*.c)
module_src := $(wildcard modules/*.c)
test_lib_src := $(filter-out tests/lib/rt_probe.c,$(wildcard tests/lib/*.c))
probe_src := $(wildcard tests/lib/rt_probe.c)
# The explorer of tests/model takes the place of a sanitizer, gcc's.
test_src := $(filter-out $(if $(or $(SAN),$(findstring clang,$(CC))),tests/model/%),$(wildcard tests/*/test_*.c))
bad_module_src := $(wildcard tests/modules/bad/*.c tests/system/modules/*.c)
test_rooms := $(sort $(patsubst tests/%/,%,$(dir $(test_src))))

has_main = $(if $(1),$(shell grep -l '^int main\>' $(1)))
ctl_src := $(wildcard tools/chronusctl*.c)
tool_main := $(call has_main,$(tools_src))
programs := $(if $(call has_main,$(supervisor_src)),$B/chronus) \
	    $(if $(call has_main,$(engine_src)),$B/chronus-module) \
	    $(if $(ctl_src),$B/chronusctl)
# For those who work on the tree: they use the tests' library and what it needs.
test_tools := $(filter-out $(programs),$(tool_main:tools/%.c=$B/%))
modules := $(module_src:modules/%.c=$B/modules/%.so)
tests := $(test_src:tests/%.c=$B/tests/%)
bad_modules := $(bad_module_src:%.c=$B/%.so)
probe := $(probe_src:tests/lib/%.c=$B/tests/%.so)

obj = $(patsubst %.c,$B/obj/%.o,$(1))

.PHONY: all
all: $(programs) $(modules)

# ---- what each room may include ----

# Folders and files of the tree that a room sees, and system headers that must not build there.
sees_common := common
sees_modules := common/module.h modules/dsp
sees_engine := common engine
sees_supervisor := common supervisor
sees_tools := common tools tests/lib
bars_common := jack/jack.h lo/lo.h libconfig.h jansson.h
bars_modules := jack/jack.h lo/lo.h libconfig.h jansson.h stdio.h stdlib.h unistd.h pthread.h threads.h fcntl.h time.h
bars_engine := lo/lo.h libconfig.h jansson.h
bars_supervisor := jansson.h dlfcn.h
bars_tools := libconfig.h
walled_rooms := common modules engine supervisor tools

define include_rules
$B/include/$(1)/.made: Makefile
	@mkdir -p $$(@D)
	@for f in $$(sees_$(1)); do mkdir -p $$(@D)/$$$$(dirname $$$$f); ln -srfn $$$$f $$(@D)/$$$$f; done
	@for f in $$(bars_$(1)); do mkdir -p $$(@D)/$$$$(dirname $$$$f); \
		echo "#error \"$(1)/ must not include <$$$$f>\"" >$$(@D)/$$$$f; done
	@touch $$@
$(call obj,$($(1)_src)): room_flags = -I$B/include/$(1)
$(call obj,$($(1)_src)): | $B/include/$(1)/.made
endef
modules_src := $(module_src) $(dsp_src)
$(foreach room,$(walled_rooms),$(eval $(call include_rules,$(room))))

$(call obj,$(test_src) $(test_lib_src) $(probe_src) $(bad_module_src) $(wildcard tests/*/*.c)): room_flags = -I. -DCHR_BUILD='"$B"'
$(call obj,$(modules_src) $(bad_module_src)): shape_flags = -fPIC -fvisibility=hidden -O3
$(call obj,$(probe_src)): shape_flags = -fPIC
$(call obj,$(supervisor_src)): room_macros = -DCHR_LIBDIR='"$(LIBDIR)"' -DCHR_VERSION='"$(VERSION)"'
$(call obj,$(engine_src) $(tools_src)): room_macros = -DCHR_VERSION='"$(VERSION)"'

# ---- compiling ----

# Rewritten only when its text changes, so that objects follow their flags.
$B/flags: always
	@mkdir -p $(@D); echo '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS)' >$@
$B/prefix: always
	@mkdir -p $(@D); echo '$(LIBDIR) $(VERSION)' | cmp -s - $@ || echo '$(LIBDIR) $(VERSION)' >$@
.PHONY: always
always:
$(call obj,$(supervisor_src) $(engine_src) $(tools_src)): $B/prefix

$B/obj/%.o: %.c $B/flags | deps
	@mkdir -p $(@D)
	$(say) cc $<
	$(Q)$(CC) $(CPPFLAGS) $(room_flags) $(room_macros) $(ALL_CFLAGS) $(shape_flags) -MMD -MP -c -o $@ $<

# The objects of a room as an archive, so that a test links what it uses and never the program's main.
define archive_rule
$B/lib/$(1).a: $(call obj,$(2))
	@mkdir -p $$(@D); rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(eval $(call archive_rule,common,$(common_src)))
$(eval $(call archive_rule,engine,$(engine_src)))
$(eval $(call archive_rule,supervisor,$(supervisor_src)))
$(eval $(call archive_rule,tools,$(filter-out $(tool_main),$(tools_src))))
$(eval $(call archive_rule,modules,$(dsp_src)))
$(eval $(call archive_rule,system,$(test_lib_src)))

# ---- linking ----

libs_common := -lm -lrt
libs_modules := -ldl -lm -lrt
libs_engine := -ljack -ldl -lm -lrt
libs_supervisor := -ljack -llo -lconfig -lm -lrt
libs_tools := -Wl,--as-needed -ljack -llo -ljansson -ldl -lm -lrt
libs_system := -Wl,--as-needed -ljack -llo -ljansson -ldl -lm -lrt

$B/chronus: $(call obj,$(supervisor_src)) $B/lib/common.a
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(libs_supervisor)
$B/chronus-module: $(call obj,$(engine_src)) $B/lib/common.a
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -Wl,-z,now -o $@ $^ $(libs_engine)
$B/chronusctl: $(call obj,$(ctl_src)) $B/lib/common.a
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(libs_tools)
$(test_tools): $B/%: $B/obj/tools/%.o $B/lib/tools.a $B/lib/system.a $B/lib/common.a
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(libs_tools)

$B/modules/%.so: $B/obj/modules/%.o $(call obj,$(dsp_src))
	@mkdir -p $(@D)
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ -lm
$(bad_modules): $B/%.so: $B/obj/%.o
	@mkdir -p $(@D)
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ -lm
$(probe): $B/tests/%.so: $B/obj/tests/lib/%.o
	@mkdir -p $(@D)
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -o $@ $^ -ldl

# A test binary: its file, the helpers beside it (files that are not test_), its room, common.
room_of = $(word 2,$(subst /, ,$(1)))
helpers_of = $(filter-out $(addprefix %/,$(notdir $(test_src))),$(wildcard tests/$(1)/*.c))
define test_rule
$B/tests/$(1): $B/obj/tests/$(1).o $(call obj,$(call helpers_of,$(2))) $(if $(wildcard $(2)/*.c)$(filter system,$(2)),$B/lib/$(2).a) $(if $(filter modules,$(2)),$B/lib/system.a) $B/lib/common.a
	@mkdir -p $$(@D)
	$$(say) link $$@
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -rdynamic -o $$@ $$(filter %.o,$$^) $$(sort $$(filter-out %/common.a,$$(filter %.a,$$^))) $B/lib/common.a \
		$$$$(pkg-config --libs check) $$(libs_$(2))
endef
$(foreach t,$(filter-out model/%,$(test_src:tests/%.c=%)),$(eval $(call test_rule,$(t),$(firstword $(subst /, ,$(t))))))

# The explorer's tests: with the code under test compiled to call it before every access.
model_src := $(wildcard tests/model/*.c)
$(call obj,$(wildcard tests/model/code_*.c)): shape_flags = -fsanitize=thread -Wno-tsan -fno-builtin -U_FORTIFY_SOURCE -Dmemcpy=explore_memcpy \
	-Dnanosleep=explore_nanosleep
$(filter $B/tests/model/%,$(tests)): $B/tests/%: $B/obj/tests/%.o $(call obj,$(filter-out tests/model/test_%,$(model_src))) $B/lib/engine.a \
		$B/lib/common.a
	@mkdir -p $(@D)
	$(say) link $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $$(pkg-config --libs check) $(libs_engine)

# A target of tests/fuzz/ with the helpers and the room it works on; only where `SAN` has fuzzer-no-link, for clang alone has libFuzzer.
fuzz_room_fuzz_join := engine
fuzz_targets := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzzers := $(fuzz_targets:%=$B/tests/fuzz/%)
define fuzz_rule
$B/tests/fuzz/$(1): $B/obj/tests/fuzz/$(1).o $B/obj/tests/fuzz/unchecked.o $(call obj,$(call helpers_of,$(2))) $B/lib/$(2).a $B/lib/common.a
	@mkdir -p $$(@D)
	$$(say) link $$@
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(libs_$(2))
endef
$(foreach t,$(fuzz_targets),$(eval $(call fuzz_rule,$(t),$(or $(fuzz_room_$(t)),supervisor))))

# ---- what the system must have: installed for run, test, lint and bench; otherwise only named ----

goals := $(or $(MAKECMDGOALS),all)
dep_sets := build $(if $(filter run,$(goals)),run) $(if $(filter test tests test-races coverage check-% bench faults soak deps,$(goals)),run test) \
	    $(if $(filter lint deps,$(goals)),test lint) $(if $(filter %fuzz fuzz-% deps,$(goals)),test fuzz)
dep_mode := $(if $(filter run test test-races coverage check-% bench %fuzz fuzz-% faults soak lint deps,$(goals)),install,check)
.PHONY: deps
deps:
	@CC='$(CC)' bash tools/deps.sh $(dep_mode) $(sort $(dep_sets))

# ---- doing ----

.PHONY: run tests test bench bench-deps fuzz faults soak
run: all
	exec $B/chronus $(PATCH)

tests: all $(test_tools) $(tests) $(bad_modules) $(probe)

# The quick ones first.
test: tests
	@bash tests/run.sh $(filter-out $B/tests/system/%,$(tests)) $(filter $B/tests/system/%,$(tests))

# One room alone: make check-common
needs_modules := $(modules) $(bad_modules)
needs_engine := $(filter %/chronus-module,$(programs)) $(needs_modules)
needs_supervisor := $(needs_engine)
needs_tools := $(filter %/chronusctl,$(programs))
needs_system := tests
define check_rule
.PHONY: check-$(1)
check-$(1): $(filter $B/tests/$(1)/%,$(tests)) $(needs_$(1))
	@bash tests/run.sh $(filter $B/tests/$(1)/%,$(tests))
endef
$(foreach room,$(test_rooms),$(eval $(call check_rule,$(room))))

# What several threads touch, under the thread sanitizer. Its shadow memory wants addresses that are not too random.
race_tests := common/test_ring common/test_board common/test_choice common/test_slot engine/test_join engine/test_races supervisor/test_inbox supervisor/test_processes
race_built := $(race_tests:%=build-san/thread/tests/%)
.PHONY: test-races
test-races: | deps
	@$(MAKE) --no-print-directory CC='$(CC)' SAN=thread $(race_built) | sed '/is up to date/d'
	@export TSAN_OPTIONS="suppressions=tests/lib/tsan.supp halt_on_error=1 $${TSAN_OPTIONS:-}"; \
		if setarch -R true 2>/dev/null; then setarch -R bash tests/run.sh $(race_built); else bash tests/run.sh $(race_built); fi

# Lines that the tests reach, a room each, and whether that is enough: make coverage COVERED='tests/common/test_ring.c ...' runs these alone. Modules that are
# killed leave no counts, and count as if they had not run.
COVERED ?= $(filter-out tests/model/%,$(test_src))
COVERAGE_BAR ?= 85
coverage_dir := build-coverage
.PHONY: coverage
coverage: | deps
	@find $(coverage_dir) -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory B=$(coverage_dir) CC='$(CC)' CFLAGS='-O0 -g -Wno-format-truncation --coverage -fprofile-update=atomic' LDFLAGS=--coverage tests
	@bash tests/run.sh $(patsubst tests/%.c,$(coverage_dir)/tests/%,$(COVERED)) || echo 'coverage: slowed down by the counters, tests that judge by time may fail'
	@bash tests/coverage.sh $(coverage_dir) $(COVERAGE_BAR) common engine supervisor

# make bench BENCH='--help'; the figures and pictures also go to build/bench/
BENCH ?=
bench: tests
	@mkdir -p $B/bench
	$B/chronus-bench --json $B/bench/figures.json --svg $B/bench $(BENCH)
# The peers that it is compared with.
bench-deps:
	@bash tools/deps.sh install bench

# Hostile input under libFuzzer: for SECONDS each, grown from tests/fuzz/corpus; what they find is kept in $(fuzz_kept). `fuzz-corpus` takes what
# reaches code that the tree's corpus does not into the tree. `test-fuzz` is short and always the same.
SECONDS ?= 60
fuzz_sanitizers := fuzzer-no-link,address,undefined
fuzz_kept := build/fuzz
fuzz_make = $(MAKE) --no-print-directory CC='$(FUZZ_CC)' CFLAGS='-O1 -g' SAN=$(fuzz_sanitizers) fuzzers
fuzz_built := $(fuzz_targets:%=build-san/$(subst $(comma),-,$(fuzz_sanitizers))/tests/fuzz/%)
FUZZ_CC ?= clang
.PHONY: fuzzers test-fuzz fuzz-corpus
fuzzers: $(fuzzers)
test-fuzz fuzz fuzz-corpus: | deps
	@$(fuzz_make)
	@bash tests/fuzz/run.sh $@ $(fuzz_kept) $(SECONDS) $(fuzz_built)

# The fault campaign: make faults FAULTS='--help'
FAULTS ?=
faults: tests
	$B/chronus-faults $(FAULTS)

# Random playing, patching and faults for MINUTES: make soak SOAK='--help'; figures and picture go to build/soak/
MINUTES ?= 30
SOAK ?=
soak: tests
	@mkdir -p $B/soak
	$B/chronus-soak --minutes $(MINUTES) --json $B/soak/soak.json --svg $B/soak/soak.svg $(SOAK)

# ---- reading the sources ----

lint_src := $(common_src) $(module_src) $(dsp_src) $(engine_src) $(supervisor_src) $(tools_src) $(wildcard tests/*/*.c tests/*/*/*.c)
lint_hdr := $(wildcard common/*.h modules/dsp/*.h engine/*.h supervisor/*.h tools/*.h tests/*/*.h)
tidy_stamps := $(lint_src:%.c=$B/tidy/%.ok)

.PHONY: lint format
lint: lint-format lint-tidy lint-analyzer lint-cppcheck
.PHONY: lint-format lint-tidy lint-analyzer lint-cppcheck
lint-format: | deps
	$(say) layout 'of all sources'
	$(Q)clang-format --dry-run --Werror $(lint_src) $(lint_hdr)
	@! grep -nE '#include "\.\./' $(lint_src) $(lint_hdr) || { echo 'includes are written from the top of the tree' >&2; exit 1; }
format: | deps
	$(Q)clang-format -i $(lint_src) $(lint_hdr)

lint-tidy: $(tidy_stamps)
$B/tidy/%.ok: %.c .clang-tidy tests/.clang-tidy $(lint_hdr) | deps
	@mkdir -p $(@D)
	$(say) tidy $<
	$(Q)clang-tidy --quiet $< -- -I. -std=c17 -D_GNU_SOURCE -DCHR_BUILD='"build"' -DCHR_LIBDIR='"lib"' -DCHR_VERSION='"0"' 2>/dev/null
	@touch $@

# gcc's analyzer on what is no test. Leaks are left to clang-tidy and the address sanitizer: gcc 12 sees one wherever memory is handed over in a struct.
# Where it sees something else that is not so, its warning is off for that file:
#   use-of-uninitialized-value  arrays that a loop of another function fills
#   possible-null-dereference   memory that is there whenever the count is not 0
#   double-free                 an array of pointers that a loop frees
analyzer_off_modules/biquad := use-of-uninitialized-value
analyzer_off_supervisor/graph_wire := possible-null-dereference
analyzer_off_tools/faults_tape := double-free
analyzer_src := $(common_src) $(module_src) $(dsp_src) $(engine_src) $(supervisor_src) $(tools_src)
analyzer_stamps := $(analyzer_src:%.c=$B/analyzer/%.ok)
lint-analyzer: $(analyzer_stamps)
$B/analyzer/%.ok: %.c $(lint_hdr) | deps
	@mkdir -p $(@D)
	$(say) look $<
	$(Q)$(if $(findstring clang,$(CC)),:,$(CC) -std=c17 -D_GNU_SOURCE -O1 -fanalyzer -Werror -Wno-analyzer-malloc-leak $(analyzer_off_$*:%=-Wno-analyzer-%) -I. \
		-DCHR_BUILD='"build"' -DCHR_LIBDIR='"lib"' -DCHR_VERSION='"0"' -c -o /dev/null $<)
	@touch $@

lint-cppcheck: | deps
	$(say) check 'with cppcheck'
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --language=c --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --suppress=unusedStructMember -j 2 -I . -D_GNU_SOURCE -DCHR_BUILD='"build"' -DCHR_LIBDIR='"lib"' \
		-DCHR_VERSION='"0"' $(lint_src)

# ---- installing ----

# Lists "file mode destination" of everything that is installed.
man_pages := $(wildcard man/*.1 man/*.5)
bash_completion := $(wildcard completion/*.bash)
zsh_completion := $(wildcard completion/_*)
installed = $(foreach p,$(filter %/chronus %/chronusctl %/chronus-module,$(programs)),$(p):755:$(if $(filter %/chronus-module,$(p)),lib/chronus,bin)/$(notdir $(p))) \
	    $(foreach m,$(modules),$(m):755:lib/chronus/modules/$(notdir $(m))) \
	    $(foreach m,$(man_pages),$(m):644:share/man/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
	    $(foreach c,$(bash_completion),$(c):644:share/bash-completion/completions/$(basename $(notdir $(c)))) \
	    $(foreach c,$(zsh_completion),$(c):644:share/zsh/site-functions/$(notdir $(c))) \
	    $(foreach c,$(wildcard patches/*.cfg),$(c):644:share/chronus/patches/$(notdir $(c))) \
	    common/module.h:644:include/chronus/module.h $B/chronus.pc:644:lib/pkgconfig/chronus.pc

$B/chronus.pc: chronus.pc.in $B/prefix
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' $< >$@

.PHONY: install uninstall
install: all $B/chronus.pc
	@for entry in $(installed); do IFS=: read -r file mode to <<<"$$entry"; install -D -m "$$mode" "$$file" "$(DESTDIR)$(PREFIX)/$$to"; done
uninstall:
	@for entry in $(installed); do rm -f "$(DESTDIR)$(PREFIX)/$${entry##*:}"; done
	@rmdir "$(DESTDIR)$(LIBDIR)/modules" "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(PREFIX)/include/chronus" \
		"$(DESTDIR)$(PREFIX)/share/chronus/patches" "$(DESTDIR)$(PREFIX)/share/chronus" 2>/dev/null || true

# ---- tidying up ----

.PHONY: clean help
clean:
	rm -rf build build-san build-coverage

help:
	@printf '%s\n' \
	'make                   builds everything into build/' \
	'make run [PATCH=file]  installs what is missing, builds, plays a patch (patches/drone.cfg)' \
	'make test              installs what is missing, builds, runs all tests; SAN=address,undefined: under sanitizers' \
	'make test-races        what several threads touch, under the thread sanitizer' \
	'make coverage          how much of common, engine and supervisor the tests reach; below 85 % of the lines of one it fails' \
	'make check-ROOM        the tests of one room alone: $(test_rooms)' \
	'make bench             all figures, beside those of others; BENCH=--help lists what it can do, BENCH=--quick is short' \
	'make bench-deps        installs the peers that they are compared with' \
	'make faults            the fault campaign; FAULTS=--help lists what it can do' \
	'make soak              random playing, patching and faults for MINUTES=30, and whether anything grows; SOAK=--help lists the rest' \
	'make fuzz              hostile input for SECONDS=60 each to whatever reads some; make test-fuzz is the short form' \
	'make lint              clang-format, clang-tidy, gcc -fanalyzer, cppcheck; make format rewrites the layout' \
	'make install           into PREFIX (/usr/local) under DESTDIR; make uninstall removes it' \
	'make deps              installs everything any of these needs' \
	'make clean             removes the build folders'

-include $(wildcard $B/obj/*/*.d $B/obj/*/*/*.d $B/obj/*/*/*/*.d)
