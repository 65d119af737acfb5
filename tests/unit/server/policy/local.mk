check_PROGRAMS += \
	%D%/test_allowance \
	%D%/test_company \
	%D%/test_deadline \
	%D%/test_delivery \
	%D%/test_estimate \
	%D%/test_fairness \
	%D%/test_match \
	%D%/test_moving \
	%D%/test_pausing \
	%D%/test_quorum \
	%D%/test_fitness \
	%D%/test_hailing \
	%D%/test_horizon \
	%D%/test_host_clock \
	%D%/test_returning \
	%D%/test_rollback \
	%D%/test_share \
	%D%/test_silence \
	%D%/test_tail \
	%D%/test_transition \
	%D%/test_withdrawing
