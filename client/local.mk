noinst_LIBRARIES += libclient.a
libclient_a_CFLAGS = $(STRICT_CFLAGS)
libclient_a_SOURCES = \
	%D%/agent/choose.c %D%/agent/choose.h \
	%D%/agent/clock.c %D%/agent/clock.h \
	%D%/agent/delay.c %D%/agent/delay.h \
	%D%/agent/durations.c %D%/agent/durations.h \
	%D%/agent/known_urls.c %D%/agent/known_urls.h \
	%D%/agent/phase.c %D%/agent/phase.h \
	%D%/agent/place.c %D%/agent/place.h \
	%D%/agent/room.c %D%/agent/room.h \
	%D%/agent/talk.c %D%/agent/talk.h \
	%D%/agent/turns.c %D%/agent/turns.h \
	%D%/attach.c %D%/commands.c %D%/commands.h \
	%D%/config.c %D%/config.def %D%/config.h \
	%D%/control/socket.c %D%/control/socket.h \
	%D%/control/verbs.c %D%/control/verbs.h \
	%D%/daemon/answer.c %D%/daemon/answer.h %D%/daemon/attached.c \
	%D%/daemon/attached.h %D%/daemon/contact.c %D%/daemon/contact.h \
	%D%/daemon/conversation.c %D%/daemon/conversation.h %D%/daemon/daemon.c \
	%D%/daemon/daemon.h %D%/daemon/enrol.c %D%/daemon/enrol.h %D%/daemon/lane.c \
	%D%/daemon/lane.h %D%/daemon/leave.c %D%/daemon/leave.h \
	%D%/daemon/kept.c %D%/daemon/kept.h \
	%D%/daemon/lineup.c %D%/daemon/lineup.h %D%/daemon/parts.h \
	%D%/daemon/own_clock.c %D%/daemon/own_clock.h \
	%D%/daemon/places.c %D%/daemon/places.h \
	%D%/daemon/projects.c %D%/daemon/projects.h \
	%D%/daemon/proof.c %D%/daemon/proof.h \
	%D%/daemon/refused.c %D%/daemon/refused.h \
	%D%/daemon/room.c %D%/daemon/room.h %D%/daemon/run.c %D%/daemon/run.h \
	%D%/daemon/start.c %D%/daemon/status.c %D%/daemon/status.h %D%/daemon/talking.c \
	%D%/daemon/talking.h %D%/daemon/tasks.c %D%/daemon/tasks.h %D%/daemon/transfer.c \
	%D%/daemon/trouble.c %D%/daemon/trouble.h \
	%D%/daemon/transfer.h %D%/daemon/upload.c %D%/daemon/verbs.c %D%/daemon/visit.c \
	%D%/daemon/visit.h \
	%D%/daemon/bundling.c %D%/daemon/held.c %D%/daemon/held.h \
	%D%/detach.c \
	%D%/fetch/bundle.c %D%/fetch/bundle.h \
	%D%/fetch/cache.c %D%/fetch/cache.h \
	%D%/fetch/contact.c %D%/fetch/contact.h \
	%D%/fetch/download.c %D%/fetch/download.h \
	%D%/fetch/slot.c %D%/fetch/slot.h \
	%D%/introduce.c %D%/program.h %D%/run.c %D%/status.c \
	%D%/state/folder.c %D%/state/folder.h \
	%D%/state/project_files.c %D%/state/project_files.h \
	%D%/state/records.c %D%/state/records.h %D%/state/task_record.c

bin_PROGRAMS += dugnad-client
dugnad_client_SOURCES = %D%/main.c
dugnad_client_LDADD = $(CLIENT_LIBS)
