check_PROGRAMS += %D%/test_check %D%/test_outputs %D%/test_publish %D%/test_query \
	%D%/test_sqlite %D%/test_work
