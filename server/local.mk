noinst_LIBRARIES += libserver.a
libserver_a_CFLAGS = $(STRICT_CFLAGS)
libserver_a_SOURCES =
include server/http/local.mk
include server/engine/local.mk
