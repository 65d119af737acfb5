check_PROGRAMS += %D%/test_work
