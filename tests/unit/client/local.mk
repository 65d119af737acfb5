check_PROGRAMS += %D%/agent/test_agent %D%/agent/test_clock %D%/agent/test_idle %D%/agent/test_talk
check_PROGRAMS += %D%/agent/test_known_urls %D%/agent/test_turns
check_PROGRAMS += %D%/control/test_socket
check_PROGRAMS += %D%/daemon/test_authority %D%/daemon/test_crash %D%/daemon/test_daemon %D%/daemon/test_ends
check_PROGRAMS += %D%/daemon/test_envelopes %D%/daemon/test_signed_again %D%/daemon/test_files
check_PROGRAMS += %D%/daemon/test_forged %D%/daemon/test_own_clock %D%/daemon/test_guards %D%/daemon/test_inputs \
	%D%/daemon/test_leave %D%/daemon/test_lineup %D%/daemon/test_places
check_PROGRAMS += %D%/daemon/test_outputs %D%/daemon/test_signed %D%/daemon/test_slow
check_PROGRAMS += %D%/daemon/test_bundles %D%/daemon/test_fetches %D%/daemon/test_two_projects
check_PROGRAMS += %D%/fetch/test_bundle %D%/fetch/test_cache
check_PROGRAMS += %D%/state/test_records
check_PROGRAMS += %D%/test_config %D%/test_manual %D%/test_verbs %D%/test_verbs_daemon
