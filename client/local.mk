noinst_LIBRARIES += libclient.a
libclient_a_CFLAGS = $(STRICT_CFLAGS)
libclient_a_SOURCES =
