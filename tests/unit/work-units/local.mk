script_tests += %D%/apps/test_primes %D%/apps/test_wordindex
check_PROGRAMS += %D%/test_manifests %D%/test_signers %D%/test_trust %D%/test_trust_keyrings %D%/test_trust_state
