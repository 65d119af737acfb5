check_PROGRAMS += %D%/test_cycle
