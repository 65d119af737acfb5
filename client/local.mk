noinst_LIBRARIES += libclient.a
libclient_a_CFLAGS = $(STRICT_CFLAGS)
libclient_a_SOURCES = \
	%D%/agent/choose.c %D%/agent/choose.h \
	%D%/agent/delay.c %D%/agent/delay.h \
	%D%/agent/phase.c %D%/agent/phase.h \
	%D%/agent/talk.c %D%/agent/talk.h \
	%D%/config.c %D%/config.def %D%/config.h \
	%D%/state/folder.c %D%/state/folder.h \
	%D%/state/project_files.c %D%/state/project_files.h \
	%D%/state/records.c %D%/state/records.h %D%/state/task_record.c
