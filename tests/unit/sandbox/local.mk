check_PROGRAMS += \
	%D%/test_cgroup %D%/test_collect %D%/test_launcher %D%/test_leftovers %D%/test_limits \
	%D%/test_progress %D%/test_usage
