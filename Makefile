# mlops: the extension library, the trainer program, the SQL script, the tests.
#
#   make                     builds all of it for the server that PG_CONFIG names
#   make install             library, SQL, and mlops-trainer beside the server's programs
#   make unit                core without a server, under sanitizers; make fuzz runs the fuzzers
#   make installcheck        smoke and isolation tests against a running server (PGHOST, PGPORT)
#   make prove-sql           pgTAP tests against a running server; make prove-server starts its own
#   make syntax HEADERS=dir  checks the library against the headers of another server (/usr/include/postgresql/17/server)
#   WERROR=1                 makes warnings errors
#
# src/core is compiled twice: into the library without fit/, and into the
# trainer with it.  BLAS, LAPACK and threads are the trainer's alone.

EXTENSION  = mlops
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(EXTENSION).control)
MODULE_big = mlops
LIBRARY_SOURCES = $(filter-out src/core/threads.c src/core/fit/%,$(wildcard $(foreach room,core core/* pg pg/* jobs,src/$(room)/*.c)))
OBJS       = $(patsubst %.c,%.o,$(sort $(LIBRARY_SOURCES)))
SQL_PARTS  = $(sort $(wildcard sql/[0-9]*.sql))
DATA       = $(wildcard sql/upgrade/*--*--*.sql)
DATA_built = sql/$(EXTENSION)--$(EXTVERSION).sql
TRAINER    = build/mlops-trainer

# Results are the same on every machine (no reassociation, no contraction), so no -ffast-math and no -march.
OPTFLAGS   = -O2 -ftree-vectorize -ffp-contract=off
STANDARD   = -std=gnu11
WARNINGS   = -Wall -Wextra -Wmissing-prototypes -Wpointer-arith $(if $(WERROR),-Werror)
DEFINES    = -DMLOPS_VERSION='"$(EXTVERSION)"'
PG_CPPFLAGS = $(DEFINES)
PG_CFLAGS  = $(STANDARD) $(OPTFLAGS) $(WARNINGS) -MMD -MP
SHLIB_LINK = -Wl,--version-script=src/pg/exports.map -lm

TESTS          = $(sort $(wildcard test/sql/*.sql))
REGRESS        = $(patsubst test/sql/%.sql,%,$(TESTS))
REGRESS_OPTS   = --inputdir=test --load-extension=$(EXTENSION)
ISOLATION      = $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation
EXTRA_CLEAN    = build $(OBJS:.o=.d)

PG_CONFIG ?= pg_config
PGXS      := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# ---- What PGXS brings and C11 does not want; what clang does not know ----

override CFLAGS := $(filter-out -Wdeclaration-after-statement,$(CFLAGS))
ifneq ($(findstring clang,$(shell $(CC) --version)),)
override CFLAGS := $(filter-out -fexcess-precision=% -Wimplicit-fallthrough=% -Wno-format-truncation -Wno-stringop-truncation,$(CFLAGS)) \
	-Wno-ignored-attributes
endif
BITCODE_CFLAGS += $(STANDARD) -ffp-contract=off

# Functions called by PostgreSQL have the arguments that it passes.
src/pg/%.o src/jobs/%.o: override CFLAGS += -Wno-unused-parameter

# ---- The library ----

$(shlib): src/pg/exports.map
ifeq ($(with_llvm),yes)
$(OBJS:.o=.bc): $(wildcard src/*/*.h src/*/*/*.h)
endif

# ---- The SQL script ----

$(DATA_built): $(SQL_PARTS)
	cat $^ > $@

# ---- The trainer ----

TRAINER_SOURCES = $(sort $(wildcard $(foreach room,core core/* core/fit/* trainer,src/$(room)/*.c)))
TRAINER_OBJS    = $(patsubst src/%.c,build/trainer/%.o,$(TRAINER_SOURCES))
TRAINER_CFLAGS  = $(STANDARD) $(OPTFLAGS) $(WARNINGS) -g -pthread -D_GNU_SOURCE -DMLOPS_FIT $(DEFINES)
BLAS_LIBS      ?= -lopenblas

all: $(TRAINER)

$(TRAINER): $(TRAINER_OBJS)
	$(CC) -pthread -Wl,-z,relro -Wl,-z,now -o $@ $^ $(BLAS_LIBS) -lm

build/trainer/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(TRAINER_CFLAGS) $(COPT) -MMD -MP -c -o $@ $<

install: install-trainer
install-trainer: $(TRAINER) installdirs
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(INSTALL_PROGRAM) $(TRAINER) '$(DESTDIR)$(bindir)/'

uninstall: uninstall-trainer
uninstall-trainer:
	rm -f '$(DESTDIR)$(bindir)/$(notdir $(TRAINER))'

# ---- Tests ----

-include test/unit/unit.mk

prove-sql:
	pg_prove $(PROVE_FLAGS) $(sort $(wildcard test/tap/*.sql))

prove-server: PROVE_TESTS = $(sort $(wildcard test/t/*.pl))
prove-server:
	$(prove_installcheck)

syntax:
	$(CC) -fsyntax-only $(STANDARD) $(OPTFLAGS) $(WARNINGS) -Wno-unused-parameter -Werror -D_GNU_SOURCE $(DEFINES) \
		-I. -I$(HEADERS) $(filter src/pg/% src/jobs/%,$(OBJS:.o=.c))

.PHONY: install-trainer uninstall-trainer prove-sql prove-server syntax

# ---- Headers that objects depend on, as the compiler saw them ----

-include $(OBJS:.o=.d) $(TRAINER_OBJS:.o=.d)
