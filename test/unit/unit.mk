# Unit tests and fuzzers of core; no server needed.  Included by the Makefile,
# or alone, from the top directory:  make -f test/unit/unit.mk unit BUILD=dir
#
#   make unit                every test/unit/test_*.c, under ASan and UBSan
#   make unit UNIT=model     one of them
#   make levels              tree ensembles are the same bytes at every optimisation level
#   make fuzz                every test/unit/fuzz_*.c for FUZZ_SECONDS each (needs clang)

BUILD        ?= build
FUZZ_SECONDS ?= 60
FUZZ_CC      ?= clang
UNIT         ?= *

unit:

UNIT_FLAGS = -std=gnu11 -g -O1 -ffp-contract=off -fno-omit-frame-pointer -Wall -Wextra -Wmissing-prototypes -Wpointer-arith -Werror \
	-D_GNU_SOURCE -pthread -Isrc -Itest/unit
UNIT_SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_LIBS  = -lopenblas -lm

CORE_SOURCES  = $(sort $(wildcard $(foreach room,core core/* core/fit/*,src/$(room)/*.c)))
UNIT_CORE     = $(patsubst src/%.c,$(BUILD)/unit/%.o,$(CORE_SOURCES))
UNIT_SUPPORT  = $(patsubst test/unit/%.c,$(BUILD)/unit/%.o,$(sort $(wildcard test/unit/support*.c)))
UNIT_PROGRAMS = $(patsubst test/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard test/unit/test_$(UNIT).c)))

# The trainer program, with sanitizers; test_trainer starts it.
UNIT_TRAINER      = $(BUILD)/unit/mlops-trainer
UNIT_TRAINER_OBJS = $(patsubst src/%.c,$(BUILD)/unit/%.o,$(sort $(wildcard src/trainer/*.c)))

FUZZ_CORE     = $(patsubst src/%.c,$(BUILD)/fuzz/%.o,$(filter-out src/core/fit/%,$(CORE_SOURCES)))
FUZZ_SUPPORT  = $(patsubst test/unit/%.c,$(BUILD)/fuzz/%.o,$(sort $(wildcard test/unit/support*.c)))
FUZZ_PROGRAMS = $(patsubst test/unit/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard test/unit/fuzz_*.c)))

# Each program prints "name: N passed, N failed, N skipped" and exits with 0 or 3 (check.h); any other status
# is a crash or a sanitizer's, and one more failure.
unit: $(UNIT_PROGRAMS) $(UNIT_TRAINER)
	@for program in $(UNIT_PROGRAMS); do \
		MLOPS_TRAINER=$(UNIT_TRAINER) $$program 2>&1; status=$$?; \
		case $$status in 0|3) ;; *) echo "$$(basename $$program): 0 passed, 1 failed, 0 skipped: exit status $$status" ;; esac; \
	done | awk '{ print } \
		/: [0-9]+ passed, [0-9]+ failed/ { line = $$0; sub(/.*: /, "", line); split(line, n, /[^0-9]+/); passed += n[1]; failed += n[2]; skipped += n[3] } \
		END { printf "unit: %d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 || passed == 0 }'

$(BUILD)/unit/core/%.o: src/core/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(UNIT_SANITIZE) -DMLOPS_FIT -MMD -MP -c -o $@ $<

$(BUILD)/unit/trainer/%.o: src/trainer/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(UNIT_SANITIZE) -DMLOPS_FIT -DMLOPS_VERSION='"unit"' -MMD -MP -c -o $@ $<

$(UNIT_TRAINER): $(UNIT_TRAINER_OBJS) $(BUILD)/unit/core.a
	$(CC) $(UNIT_SANITIZE) -pthread -o $@ $^ $(UNIT_LIBS)

$(BUILD)/unit/%.o: test/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_FLAGS) $(UNIT_SANITIZE) -DMLOPS_FIT -MMD -MP -c -o $@ $<

$(BUILD)/unit/core.a: $(UNIT_CORE) $(UNIT_SUPPORT)
	@rm -f $@
	ar rcs $@ $^

$(UNIT_PROGRAMS): %: %.o $(BUILD)/unit/core.a
	$(CC) $(UNIT_SANITIZE) -pthread -o $@ $< $(BUILD)/unit/core.a $(UNIT_LIBS)

# The trainer's flags, none, and more than these; the third also lets the compiler use all of this machine's instructions.
LEVELS      = O0 O2 O3
LEVEL_O0    = -O0
LEVEL_O2    = -O2 -ftree-vectorize
LEVEL_O3    = -O3 -march=native
LEVEL_FILES = $(CORE_SOURCES) $(sort $(wildcard test/unit/support*.c)) test/unit/print_models.c

levels: $(patsubst %,$(BUILD)/levels/%/models.txt,$(LEVELS))
	@failed=0; for level in $(LEVELS); do \
		cmp $(BUILD)/levels/O2/models.txt $(BUILD)/levels/$$level/models.txt || failed=1; \
	done; \
	echo "levels: $$(wc -l < $(BUILD)/levels/O2/models.txt) models at $(words $(LEVELS)) levels"; \
	if [ $$failed = 0 ]; then echo "levels: $(words $(LEVELS)) passed, 0 failed"; else echo "levels: 0 passed, 1 failed"; exit 1; fi

define level_rules
$(BUILD)/levels/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(CC) -std=gnu11 $$(LEVEL_$(1)) -ffp-contract=off -D_GNU_SOURCE -pthread -Isrc -Itest/unit -DMLOPS_FIT -MMD -MP -c -o $$@ $$<

$(BUILD)/levels/$(1)/models.txt: $$(patsubst %.c,$(BUILD)/levels/$(1)/%.o,$$(LEVEL_FILES))
	$$(CC) -pthread -o $(BUILD)/levels/$(1)/print_models $$^ $$(UNIT_LIBS)
	$(BUILD)/levels/$(1)/print_models > $$@.part && mv $$@.part $$@
endef
$(foreach level,$(LEVELS),$(eval $(call level_rules,$(level))))

# What a fuzzer finds is kept beside it and shown; so is its corpus, for the next run.
fuzz: $(FUZZ_PROGRAMS) $(BUILD)/fuzz/seeds
	@for program in $(FUZZ_PROGRAMS); do \
		name=$$(basename $$program); \
		mkdir -p $$program.corpus && $(BUILD)/fuzz/seeds $$name $$program.corpus || exit 1; \
		$$program -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -print_final_stats=1 -artifact_prefix=$$program. \
			$$program.corpus > $$program.log 2>&1 || { tail -n 100 $$program.log; echo "$$name: 0 passed, 1 failed"; exit 1; }; \
		echo "$$name: 1 passed, 0 failed: $$(sed -n 's/^stat::number_of_executed_units: *//p' $$program.log) inputs"; \
	done

$(BUILD)/fuzz/core/%.o: src/core/%.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(UNIT_FLAGS) $(UNIT_SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%.o: test/unit/%.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(UNIT_FLAGS) $(UNIT_SANITIZE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(FUZZ_PROGRAMS): %: %.o $(FUZZ_CORE) $(FUZZ_SUPPORT)
	$(FUZZ_CC) $(UNIT_SANITIZE) -fsanitize=fuzzer -pthread -o $@ $^ -lm

$(BUILD)/fuzz/seeds: $(BUILD)/fuzz/seeds.o $(FUZZ_CORE) $(FUZZ_SUPPORT)
	$(FUZZ_CC) $(UNIT_SANITIZE) -pthread -o $@ $^ -lm

.SECONDARY: $(UNIT_PROGRAMS:=.o) $(FUZZ_PROGRAMS:=.o)
.PHONY: unit fuzz levels

-include $(shell find $(BUILD)/unit $(BUILD)/fuzz $(BUILD)/levels -name '*.d' 2>/dev/null)
