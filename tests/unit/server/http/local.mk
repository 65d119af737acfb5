check_PROGRAMS += %D%/test_server
