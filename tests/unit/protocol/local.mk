check_PROGRAMS += %D%/test_visit %D%/test_scheduler %D%/test_enrolment %D%/test_site \
	%D%/test_batch %D%/test_results %D%/test_back_off
