script_tests += %D%/test_build %D%/test_test
EXTRA_DIST += %D%/fake-tree
