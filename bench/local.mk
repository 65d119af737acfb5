noinst_LIBRARIES += libbench.a
libbench_a_CFLAGS = $(STRICT_CFLAGS)
libbench_a_SOURCES = \
	%D%/bench.h \
	%D%/crew.c %D%/crew.h \
	%D%/figures.c %D%/figures.h \
	%D%/histogram.c %D%/histogram.h \
	%D%/lane.c %D%/lane.h \
	%D%/limits.c %D%/limits.h \
	%D%/load.c %D%/load.h \
	%D%/meet.c \
	%D%/output.c %D%/output.h \
	%D%/plan.c %D%/plan.h \
	%D%/play.c \
	%D%/process.c %D%/process.h \
	%D%/program.c \
	%D%/report.c %D%/report.h \
	%D%/response.c %D%/response.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/site.c %D%/site.h \
	%D%/turn.c %D%/turn.h \
	%D%/visiting.c %D%/visiting.h \
	%D%/actor.c %D%/actor.h \
	%D%/world/child.c %D%/world/child.h \
	%D%/world/clock.c %D%/world/clock.h \
	%D%/world/dial.c %D%/world/dial.h

bin_PROGRAMS += dugnad-bench dugnad-bench-server
dugnad_bench_CFLAGS = $(STRICT_CFLAGS)
dugnad_bench_SOURCES = %D%/main.c
dugnad_bench_LDADD = $(BENCH_LIBS)
dugnad_bench_server_CFLAGS = $(STRICT_CFLAGS)
dugnad_bench_server_SOURCES = \
	%D%/server/alone.c %D%/server/alone.h \
	%D%/server/echo.c %D%/server/echo.h \
	%D%/server/main.c \
	%D%/server/primitives.c %D%/server/primitives.h \
	%D%/server/project.c %D%/server/project.h \
	%D%/server/seed.c %D%/server/seed.h \
	%D%/server/timed_store.c %D%/server/timed_store.h \
	%D%/server/verb_alone.c %D%/server/verb_echo.c %D%/server/verb_primitives.c \
	%D%/server/verb_seed.c \
	%D%/server/verbs.h
dugnad_bench_server_LDADD = libbench.a $(SERVER_LIBS)

EXTRA_DIST += %D%/suite
# The table of docs/PERFORMANCE.md: some minutes, best on a machine that does nothing else.
BENCH_HOSTS = 20000
bench: all
	$(srcdir)/bench/suite $(abs_top_builddir) $(BENCH_HOSTS)
.PHONY: bench
