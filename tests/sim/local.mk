# A hundred hosts and the real engine in one process; in `make check` with one seed.
check_PROGRAMS += %D%/sim
tests_sim_sim_SOURCES = %D%/main.c %D%/site.c %D%/host.c %D%/checks.c %D%/sim.h \
	%D%/site.h

# How long batches take. In `make check` a quick table; `make sim-table` prints the whole one.
check_PROGRAMS += %D%/makespan
tests_sim_makespan_SOURCES = %D%/makespan.c %D%/table.c %D%/table.h \
	%D%/scene.c %D%/scene.h %D%/figures.c %D%/figures.h %D%/race.c %D%/race.h \
	%D%/crowd.c %D%/crowd_talk.c %D%/crowd.h %D%/site.c %D%/site.h

sim-table: %D%/makespan
	$(builddir)/%D%/makespan --table $(SIM_TABLE)
.PHONY: sim-table
