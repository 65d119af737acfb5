include tests/unit/server/policy/local.mk
include tests/unit/server/engine/local.mk
include tests/unit/server/api/local.mk
include tests/unit/server/files/local.mk
include tests/unit/server/site/local.mk
include tests/unit/server/http/local.mk
check_PROGRAMS += %D%/test_collect
