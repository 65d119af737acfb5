script_tests += %D%/test_build %D%/test_test %D%/test_served
EXTRA_DIST += %D%/fake-tree
