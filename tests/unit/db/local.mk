check_PROGRAMS += %D%/test_check %D%/test_copy %D%/test_migration %D%/test_outputs %D%/test_postgres %D%/test_publish \
	%D%/test_publish_files %D%/test_publish_people %D%/test_publish_units %D%/test_query %D%/test_query_offers %D%/test_query_refused \
	%D%/test_sqlite %D%/test_work %D%/test_work_scans
EXTRA_DIST += %D%/publish_suite.h %D%/query_suite.h %D%/work_suite.h
# What is written against the store's contract alone, once more on a PostgreSQL of its own.
script_tests += %D%/test_on_postgres
