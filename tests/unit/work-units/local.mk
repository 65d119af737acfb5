script_tests += %D%/apps/test_primes %D%/apps/test_wordindex
