check_PROGRAMS += %D%/test_budget
check_PROGRAMS += %D%/test_challenge
check_PROGRAMS += %D%/test_waiting
check_PROGRAMS += %D%/test_flow
check_PROGRAMS += %D%/test_refusals
check_PROGRAMS += %D%/test_openapi
check_PROGRAMS += %D%/test_tus
