include tests/unit/common/local.mk
include tests/unit/work-units/local.mk
include tests/unit/protocol/local.mk
include tests/unit/sandbox/local.mk
include tests/unit/db/local.mk
include tests/unit/server/local.mk
include tests/unit/client/local.mk
include tests/unit/operator/local.mk
