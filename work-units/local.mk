noinst_LIBRARIES += libworkunits.a
include_HEADERS += %D%/sdk/dugnad.h # for apps
libworkunits_a_CFLAGS = $(STRICT_CFLAGS)
libworkunits_a_SOURCES =
libworkunits_a_SOURCES += %D%/unit.c %D%/unit.h
libworkunits_a_SOURCES += \
	%D%/app_version.c %D%/app_version.h \
	%D%/batch_id.c %D%/batch_id.h \
	%D%/freshness.c %D%/freshness.h \
	%D%/independence.h \
	%D%/keyring.c %D%/keyring.h \
	%D%/limits.c %D%/limits.h \
	%D%/names.c %D%/names.h \
	%D%/notice.c %D%/notice.h \
	%D%/refusal.c %D%/refusal.h \
	%D%/signer_set.c %D%/signer_set.h \
	%D%/signers.c %D%/signers.h \
	%D%/trust.c %D%/trust.h %D%/trust_check.c %D%/trust_state.c \
	%D%/variant.c %D%/variant.h \
	%D%/work_unit.c %D%/work_unit.h %D%/work_unit_encode.c

include work-units/apps/local.mk
