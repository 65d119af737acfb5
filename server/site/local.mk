EXTRA_DIST += server/config.def
libserver_a_SOURCES += \
	%D%/certificate.c %D%/certificate.h \
	%D%/config.c %D%/config.h \
	%D%/config_edit.c %D%/config_edit.h \
	%D%/config_rules.c %D%/config_rules.h \
	%D%/database_log.c %D%/database_log.h \
	%D%/descriptors.c %D%/descriptors.h \
	%D%/folder.c %D%/folder.h \
	%D%/listening.c %D%/listening.h \
	%D%/program.c \
	%D%/proof.c %D%/proof.h \
	%D%/tokens.c %D%/tokens.h \
	%D%/verb_check.c \
	%D%/verb_config.c \
	%D%/verb_init.c \
	%D%/verb_migrate.c \
	%D%/verb_restore.c \
	%D%/verb_run.c \
	%D%/verb_token.c \
	%D%/verb_volunteer.c \
	%D%/verbs.c %D%/verbs.h
