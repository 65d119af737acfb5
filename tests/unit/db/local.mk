check_PROGRAMS += %D%/test_check %D%/test_copy %D%/test_outputs %D%/test_postgres %D%/test_publish %D%/test_query \
	%D%/test_sqlite %D%/test_work
# What is written against the store's contract alone, once more on a PostgreSQL of its own.
script_tests += %D%/test_on_postgres
