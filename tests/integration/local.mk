# Scenarios of the real binaries; scripts/test runs them. Not part of `make check`: they take minutes.
EXTRA_DIST += %D%/run %D%/soak %D%/soak-large %D%/audit.py %D%/contract.py %D%/coverage.py %D%/grid.py %D%/large.py \
	%D%/recording.py %D%/wire.py %D%/scenario_api.py %D%/scenario_audit.py \
	%D%/scenario_authority.py %D%/scenario_batches.py %D%/scenario_bench.py %D%/scenario_disk.py %D%/scenario_interrupt.py %D%/scenario_kill.py %D%/scenario_log.py \
	%D%/scenario_memory.py %D%/scenario_migrate.py %D%/scenario_operator.py %D%/scenario_postgres.py \
	%D%/scenario_requests.py %D%/scenario_restore.py %D%/scenario_site.py %D%/scenario_volunteer.py \
	%D%/scenario_wild.py

# What fetching many small inputs costs: docs/PERFORMANCE.md.
EXTRA_DIST += %D%/measure-fetch

# make soak HOURS=12 ROUNDS=3: every scenario so often beside stress-ng, then sudden ends for hours, a new seed each time.
HOURS = 1
ROUNDS = 3
integration: all
	$(srcdir)/tests/integration/run $(abs_top_builddir)
soak: all
	$(srcdir)/tests/integration/soak $(abs_top_builddir) $(HOURS) $(ROUNDS)

# make soak-large UNITS=10000000: one batch of so many units, cut on both sides; 2.5 KB of disk a unit.
UNITS = 1000000
soak-large: all
	$(srcdir)/tests/integration/soak-large $(abs_top_builddir) $(UNITS)
.PHONY: integration soak soak-large
