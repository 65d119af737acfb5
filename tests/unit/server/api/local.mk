check_PROGRAMS += %D%/test_budget
check_PROGRAMS += %D%/test_challenge
check_PROGRAMS += %D%/test_waiting
check_PROGRAMS += %D%/test_flow
