check_PROGRAMS += %D%/test_histogram %D%/test_schedule %D%/test_plan %D%/test_response \
	%D%/test_process %D%/test_crew %D%/test_report %D%/test_turn
