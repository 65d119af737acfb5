noinst_LIBRARIES += libserver.a
libserver_a_CFLAGS = $(STRICT_CFLAGS)
libserver_a_SOURCES = %D%/collect.c %D%/collect.h %D%/serve.c %D%/serve.h
include server/http/local.mk
include server/engine/local.mk
include server/api/local.mk
include server/files/local.mk
include server/site/local.mk
include server/policy/local.mk

bin_PROGRAMS += dugnad-server
dugnad_server_SOURCES = %D%/main.c
dugnad_server_LDADD = $(SERVER_LIBS)
