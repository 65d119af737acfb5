check_PROGRAMS += %D%/test_budget
check_PROGRAMS += %D%/test_challenge
check_PROGRAMS += %D%/test_waiting
check_PROGRAMS += %D%/test_flow
check_PROGRAMS += %D%/test_refusals %D%/test_refusals_visits
EXTRA_DIST += %D%/refusals_suite.h
check_PROGRAMS += %D%/test_openapi
check_PROGRAMS += %D%/test_tus
