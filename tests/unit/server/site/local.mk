check_PROGRAMS += %D%/test_config
