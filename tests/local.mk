# A unit test is one line in its folder's local.mk: check_PROGRAMS += %D%/test_thing
# One that is a script: script_tests += %D%/test_thing
script_tests =
noinst_LIBRARIES += libtestsupport.a
libtestsupport_a_SOURCES =
include tests/support/local.mk
# Long ones before short ones: make begins them in this order.
include tests/sim/local.mk
if HAVE_CRITERION
include tests/unit/local.mk
endif
include tests/unit/scripts/local.mk
include tests/vectors/local.mk
EXTRA_DIST += tests/expected
include tests/fuzz/local.mk
include tests/integration/local.mk
# The suites on PostgreSQL, one of the scripts, are the longest of all, and one after another.
TESTS = $(script_tests) $(check_PROGRAMS)
dist_check_SCRIPTS = $(script_tests)
# Criterion under AddressSanitizer reports a leaking test as passed, unless the leak aborts it.
AM_TESTS_ENVIRONMENT = ASAN_OPTIONS=abort_on_error=1; export ASAN_OPTIONS; \
	DUGNAD_SOURCE=$(abs_top_srcdir); export DUGNAD_SOURCE; \
	DUGNAD_BUILD=$(abs_top_builddir); export DUGNAD_BUILD;
