check_PROGRAMS += %D%/test_query %D%/test_work
