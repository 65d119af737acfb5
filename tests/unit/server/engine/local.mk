check_PROGRAMS += %D%/test_again %D%/test_batches %D%/test_cycle %D%/test_cycle_grants %D%/test_cycle_storage %D%/test_delivery \
	%D%/test_drops %D%/test_enrolments %D%/test_follow %D%/test_grants %D%/test_hails %D%/test_host_hints %D%/test_merge %D%/test_moves %D%/test_publications \
	%D%/test_queue %D%/test_reserve %D%/test_servers %D%/test_shares %D%/test_silences %D%/test_signed_again %D%/test_space %D%/test_tables %D%/test_tails \
	%D%/test_thread %D%/test_time %D%/test_timing %D%/test_withdrawals
check_PROGRAMS += %D%/test_packed_reply %D%/test_repeats %D%/test_restored %D%/test_rollbacks
EXTRA_DIST += %D%/cycle_suite.h
