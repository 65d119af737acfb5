noinst_LIBRARIES += libcommon.a
libcommon_a_CFLAGS = $(STRICT_CFLAGS)
libcommon_a_SOURCES = \
	%D%/base/buffer.c %D%/base/buffer.h \
	%D%/base/cleanup.h \
	%D%/base/disk.c %D%/base/disk.h %D%/base/tree.h \
	%D%/base/env.h \
	%D%/base/error.c %D%/base/error.h \
	%D%/base/log.c %D%/base/log.h \
	%D%/base/options.c %D%/base/options.h %D%/base/options_help.c %D%/base/options_unknown.c \
	%D%/base/text.c %D%/base/text.h \
	%D%/http/answer.c %D%/http/answer.h \
	%D%/http/certificate.h %D%/http/chain.c \
	%D%/http/check.c %D%/http/client.h \
	%D%/http/curl.c \
	%D%/http/url.c %D%/http/url.h \
	%D%/crypto/base64.c %D%/crypto/base64.h \
	%D%/crypto/digest.c %D%/crypto/digest.h \
	%D%/crypto/envelope.c %D%/crypto/envelope.h \
	%D%/crypto/key_file.c \
	%D%/crypto/keys.c %D%/crypto/keys.h \
	%D%/json/build.c %D%/json/build.h %D%/json/item.c %D%/json/item.h \
	%D%/json/members.c %D%/json/members.h \
	%D%/json/profile.c %D%/json/profile.h \
	%D%/env/clock.c %D%/env/disk.c %D%/env/output.c %D%/env/output.h %D%/env/pipe.c %D%/env/real.h \
	%D%/env/standard.c %D%/env/tree.c
