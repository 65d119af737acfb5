# A hundred hosts and the real engine in one process; in `make check` with one seed.
check_PROGRAMS += %D%/sim
tests_sim_sim_SOURCES = %D%/main.c %D%/site.c %D%/host.c %D%/checks.c %D%/sim.h \
	%D%/site.h
