check_PROGRAMS += %D%/daemon/test_daemon
